#include "protocol/upload.h"

#include <string.h>

#include "engine/built_kernels.h"
#include "engine/sha256.h"
#include "protocol/bytes.h"

namespace squeeze::link {
namespace {

constexpr size_t kKeyBytes = 8;  // of the public key: enough to tell which one it is
constexpr uint8_t kOnlyCheck = 1;
constexpr size_t kOfferBytes = 1 + update::kManifestBytes;
static_assert(kOfferBytes <= kMaxPayload);

uint32_t IdOf(const update::Manifest& manifest) { return LoadU32(manifest.sha256); }

uint32_t Pair(uint16_t high, uint16_t low) { return static_cast<uint32_t>(high) << 16 | low; }

constexpr Refusal kTaken = {UploadReason::kNone, 0, 0};

// rsync's sum of a block: a window that moves on by a byte can be summed from the one before.
uint32_t RollingSum(const uint8_t* block, uint32_t bytes) {
  uint32_t low = 0;
  uint32_t high = 0;
  for (uint32_t i = 0; i < bytes; ++i) {
    low += block[i];
    high += low;
  }
  return (low & 0xFFFF) | high << 16;
}

void Hash(const uint8_t* data, uint32_t bytes, uint8_t* digest) {
  Sha256 sha;
  sha.Update(data, bytes);
  sha.Finish(digest);
}

UploadReason ReasonOf(update::Status status) {
  switch (status) {
    case update::Status::kOk:
      return UploadReason::kNone;
    case update::Status::kTooLarge:
      return UploadReason::kTooLarge;
    case update::Status::kOlder:
      return UploadReason::kOlder;
    case update::Status::kManifest:
      return UploadReason::kManifest;
    case update::Status::kNotBegun:
    case update::Status::kInUse:
      return UploadReason::kNotBegun;
    case update::Status::kTooMuch:
      return UploadReason::kTooMuch;
    case update::Status::kIncomplete:
      return UploadReason::kIncomplete;
    case update::Status::kWrongSha:
      return UploadReason::kWrongSha;
    case update::Status::kNotAccepted:
      return UploadReason::kModel;
    case update::Status::kNoSlots:
      return UploadReason::kNoSlots;
    case update::Status::kUnconfirmed:
      return UploadReason::kUnconfirmed;
    case update::Status::kFlash:
      break;
  }
  return UploadReason::kFlash;
}

}  // namespace

bool UploadLink::Handle(const FrameReader& request, FrameWriter* reply) {
  request_ = &request;
  reply_ = reply;
  switch (static_cast<UploadRequest>(request.type())) {
    case UploadRequest::kOffer:
      HandleOffer();
      return true;
    case UploadRequest::kHashes:
      HandleHashes();
      return true;
    case UploadRequest::kCopy:
      HandleCopy();
      return true;
    case UploadRequest::kData:
      HandleData();
      return true;
    case UploadRequest::kFinish:
      HandleFinish();
      return true;
    case UploadRequest::kCancel:
      HandleCancel();
      return true;
  }
  return false;
}

void UploadLink::HandleOffer() {
  if (request_->payload_size() == 0) {
    SendHeld();
    return;
  }
  if (request_->payload_size() != kOfferBytes || request_->payload()[0] > kOnlyCheck) {
    SendError(ErrorCode::kMalformed, request_->type());
    return;
  }
  update::Manifest manifest;
  memcpy(&manifest, request_->payload() + 1, sizeof(manifest));
  const bool only_check = request_->payload()[0] == kOnlyCheck;
  const bool same = memcmp(&manifest, &manifest_, sizeof(manifest)) == 0;
  if (same && (state_ == UploadState::kReceiving || state_ == UploadState::kDone)) {
    SendState();
    return;
  }
  Refusal refusal = Check(manifest);
  if (state_ == UploadState::kDone) refusal = {UploadReason::kNotBegun, 0, 0};  // it is about to restart
  if (only_check) {
    const bool taken = refusal.reason == UploadReason::kNone;
    SendState(IdOf(manifest), taken ? UploadState::kIdle : UploadState::kRefused, refusal);
    return;
  }
  if (refusal.reason == UploadReason::kNone) refusal = Begin(manifest);
  manifest_ = manifest;
  state_ = refusal.reason == UploadReason::kNone ? UploadState::kReceiving : UploadState::kRefused;
  refusal_ = refusal;
  SendState();
}

// All that can be known before anything is erased. The signature last: it takes longest.
Refusal UploadLink::Check(const update::Manifest& m) const {
  if (setup_.slots == 0) return {UploadReason::kNoSlots, 0, 0};
  if (m.version != update::kManifestVersion) {
    return {UploadReason::kManifest, m.version, update::kManifestVersion};
  }
  const uint32_t format = m.kernels >> kKernelBitsVersion;
  const uint32_t our_format = setup_.kernels >> kKernelBitsVersion;
  if (format != our_format) return {UploadReason::kFormat, format, our_format};
  const uint32_t missing = m.kernels & ~setup_.kernels;
  if (m.height != setup_.height || m.width != setup_.width) {
    return {UploadReason::kSize, Pair(m.height, m.width), Pair(setup_.height, setup_.width)};
  }
  if (m.channels != setup_.channels || m.classes != setup_.classes) {
    return {UploadReason::kChannels, Pair(m.channels, m.classes), Pair(setup_.channels, setup_.classes)};
  }
  if (m.arena_bytes > setup_.arena_bytes) {
    return {UploadReason::kArena, m.arena_bytes, setup_.arena_bytes};
  }
  if (missing != 0) return {UploadReason::kKernels, missing, setup_.kernels};
  const uint32_t capacity = setup_.store->Capacity();
  if (m.bytes > capacity || m.bytes == 0) return {UploadReason::kTooLarge, m.bytes, capacity};
  const uint32_t counter = setup_.store->Counter();
  if (m.counter < counter) return {UploadReason::kOlder, m.counter, counter};
  if (setup_.public_key != nullptr && !setup_.signed_by(setup_.public_key, m)) {
    return {UploadReason::kSignature, 0, 0};
  }
  return kTaken;
}

Refusal UploadLink::Begin(const update::Manifest& manifest) {
  update::Status status = setup_.store->Begin(manifest);
  if (status == update::Status::kInUse && setup_.leave_slot != nullptr) {
    setup_.leave_slot(setup_.context);
    status = setup_.store->Begin(manifest);
  }
  return {ReasonOf(status), 0, 0};
}

void UploadLink::HandleHashes() {
  if (request_->payload_size() != 6) {
    SendError(ErrorCode::kMalformed, request_->type());
    return;
  }
  const uint16_t block = LoadU16(request_->payload());
  const uint32_t first = LoadU32(request_->payload() + 2);
  const RunningModel model = setup_.running(setup_.context);
  if (block < kMinHashBlock || block > kMaxHashBlock || first > model.bytes / block) {
    SendError(ErrorCode::kOutOfRange, model.bytes);
    return;
  }
  const uint32_t left = model.bytes / block - first;  // what is behind the last whole block has no hash
  const uint32_t count = left < kMaxHashes ? left : kMaxHashes;
  reply_->Begin(static_cast<uint8_t>(UploadReply::kHashes), request_->sequence());
  reply_->U16(block);
  reply_->U32(first);
  for (uint32_t i = 0; i < count; ++i) {
    const uint8_t* data = model.data + (first + i) * block;
    uint8_t digest[kSha256Bytes];
    Hash(data, block, digest);
    reply_->U32(RollingSum(data, block));
    reply_->Bytes(digest, kStrongBytes);
  }
  reply_->End();
}

void UploadLink::HandleData() {
  const size_t size = request_->payload_size();
  if (size != 4 && size < 8) {
    SendError(ErrorCode::kMalformed, request_->type());
    return;
  }
  if (size > 8 && InPlace()) Append(request_->payload() + 8, static_cast<uint32_t>(size - 8));
  SendState();
}

void UploadLink::HandleCopy() {
  const size_t size = request_->payload_size();
  if (size < 8) {
    SendError(ErrorCode::kMalformed, request_->type());
    return;
  }
  if (InPlace()) {
    const uint8_t* piece = request_->payload() + 8;
    const uint8_t* const end = request_->payload() + size;
    if (!PiecesFit(piece, size - 8, manifest_.bytes - setup_.store->Received())) {
      SendError(ErrorCode::kMalformed, request_->type());
      return;
    }
    while (piece < end) {
      const uint32_t copy = LoadU32(piece);
      const uint32_t from = LoadU32(piece + 4);
      const uint16_t count = LoadU16(piece + 8);
      if (!Append(setup_.running(setup_.context).data + from, copy)) break;
      if (!Append(piece + kPieceHeader, count)) break;
      piece += kPieceHeader + count;
    }
  }
  SendState();
}

// All pieces are whole, within the model that runs, and together no more than `room` and kMaxCopy.
bool UploadLink::PiecesFit(const uint8_t* pieces, size_t size, uint32_t room) const {
  const uint32_t running = setup_.running(setup_.context).bytes;
  uint32_t left = room < kMaxCopy ? room : kMaxCopy;
  while (size > 0) {
    if (size < kPieceHeader) return false;
    const uint32_t copy = LoadU32(pieces);
    const uint32_t from = LoadU32(pieces + 4);
    const uint16_t count = LoadU16(pieces + 8);
    if (count > size - kPieceHeader || from > running || copy > running - from) return false;
    if (copy > left || count > left - copy) return false;
    left -= copy + count;
    pieces += kPieceHeader + count;
    size -= kPieceHeader + count;
  }
  return true;
}

// The request is of this upload, and goes on where the slot ends. Else its UPLOAD_STATE says where that is.
bool UploadLink::InPlace() {
  return state_ == UploadState::kReceiving && LoadU32(request_->payload()) == IdOf(manifest_) &&
         LoadU32(request_->payload() + 4) == setup_.store->Received();
}

bool UploadLink::Append(const uint8_t* data, uint32_t bytes) {
  if (bytes == 0) return true;
  const update::Status status = setup_.store->Append(data, bytes);
  if (status == update::Status::kOk) return true;
  Refuse({ReasonOf(status), setup_.store->Received() + bytes, manifest_.bytes});
  return false;
}

// What Finish() asks of a model that lies in the flash.
struct UploadLink::Try {
  const UploadSetup* setup;
  Refusal refusal;

  static bool Accept(void* context, const update::Manifest& manifest, const uint8_t* data) {
    Try& self = *static_cast<Try*>(context);
    self.refusal = self.setup->try_model(self.setup->context, manifest, data);
    return self.refusal.reason == UploadReason::kNone;
  }
};

void UploadLink::HandleFinish() {
  if (request_->payload_size() != 4) {
    SendError(ErrorCode::kMalformed, request_->type());
    return;
  }
  if (state_ == UploadState::kReceiving && LoadU32(request_->payload()) == IdOf(manifest_)) {
    Try attempt = {&setup_, kTaken};
    const update::Status status = setup_.store->Finish({Try::Accept, &attempt});
    if (status == update::Status::kOk) {
      state_ = UploadState::kDone;
    } else if (status == update::Status::kNotAccepted) {
      Refuse(attempt.refusal);
    } else if (status != update::Status::kIncomplete) {  // the host has more of it
      Refuse({ReasonOf(status), 0, 0});
    }
  }
  SendState();
}

void UploadLink::HandleCancel() {
  if (request_->payload_size() != 4) {
    SendError(ErrorCode::kMalformed, request_->type());
    return;
  }
  if (state_ == UploadState::kReceiving && LoadU32(request_->payload()) == IdOf(manifest_)) {
    setup_.store->Cancel();
    state_ = UploadState::kIdle;
  }
  SendState();
}

void UploadLink::Refuse(const Refusal& refusal) {
  state_ = UploadState::kRefused;
  refusal_ = refusal;
}

// SHA-256 of the model that runs (32), its bytes u32, its slot u8, slots u8, bytes that a model may have u32,
// least counter u32, arena u32, kernels u32, slowest erase in ms u32, the public key's first 8 bytes (zeros:
// none), bytes of an interrupted upload u32, the first 8 of its SHA-256 (zeros: none).
void UploadLink::SendHeld() {
  const RunningModel model = setup_.running(setup_.context);
  if (hashed_ != model.data) {
    Hash(model.data, model.bytes, running_sha256_);
    hashed_ = model.data;
  }
  static constexpr uint8_t kNone[kKeyBytes] = {};
  const update::Manifest* pending = setup_.store->Pending();
  reply_->Begin(static_cast<uint8_t>(UploadReply::kHeld), request_->sequence());
  reply_->Bytes(running_sha256_, kSha256Bytes);
  reply_->U32(model.bytes);
  reply_->U8(model.slot);
  reply_->U8(setup_.slots);
  reply_->U32(setup_.store->Capacity());
  reply_->U32(setup_.store->Counter());
  reply_->U32(setup_.arena_bytes);
  reply_->U32(setup_.kernels);
  reply_->U32(setup_.slowest_erase_ms);
  reply_->Bytes(setup_.public_key == nullptr ? kNone : setup_.public_key, kKeyBytes);
  reply_->U32(pending == nullptr ? 0 : setup_.store->Received());
  reply_->Bytes(pending == nullptr ? kNone : pending->sha256, kKeyBytes);
  reply_->End();
}

void UploadLink::SendState() { SendState(IdOf(manifest_), state_, refusal_); }

void UploadLink::SendState(uint32_t id, UploadState state, const Refusal& refusal) {
  const bool begun = state == UploadState::kReceiving || state == UploadState::kDone;
  reply_->Begin(static_cast<uint8_t>(UploadReply::kState), request_->sequence());
  reply_->U32(id);
  reply_->U8(static_cast<uint8_t>(state));
  reply_->U8(static_cast<uint8_t>(refusal.reason));
  reply_->U32(begun ? setup_.store->Received() : 0);
  reply_->U32(refusal.seen);
  reply_->U32(refusal.wanted);
  reply_->End();
}

void UploadLink::SendError(ErrorCode code, uint32_t detail) {
  reply_->Begin(static_cast<uint8_t>(Reply::kError), request_->sequence());
  reply_->U8(static_cast<uint8_t>(code));
  reply_->U32(detail);
  reply_->End();
}

}  // namespace squeeze::link
