#include "protocol/device_link.h"

#include <string.h>

#include "protocol/bytes.h"

namespace squeeze::link {
namespace {

constexpr size_t kSha256Size = 32;

// INFO without the board's name; used to prove that it fits into a frame.
constexpr size_t kInfoFixed =
    1 + 4 + kSha256Size + 4 * 2 + 2 + 6 * 4 + 1 + 4 + kBuildIdBytes + kSha256Size + 1 + 4 + 1;
static_assert(kInfoFixed + kMaxBoardName <= kMaxPayload);

// Sent where the engine took all rows without an error and yet has no result.
constexpr uint8_t kFailureNoResult = 0xFF;

bool Complete(const Application& a) {
  return a.row != nullptr && a.begin_image != nullptr && a.push_row != nullptr && a.done != nullptr &&
         a.logits != nullptr && a.probabilities != nullptr && a.cost != nullptr && a.write != nullptr;
}

size_t Length(const char* text) {
  size_t length = 0;
  while (text[length] != '\0') ++length;
  return length;
}

}  // namespace

bool DeviceLink::Init(const DeviceInfo& info, const Application& application) {
  if (info.board == nullptr || info.model_sha256 == nullptr) return false;
  if (info.build_id == nullptr || info.engine_sha256 == nullptr) return false;
  if (info.last_fault.size > kMaxPayload) return false;
  if (Length(info.board) > kMaxBoardName) return false;
  if (!Complete(application)) return false;
  if (info.height == 0 || info.classes == 0) return false;

  row_bytes_ = static_cast<size_t>(info.width) * info.channels;
  if (row_bytes_ == 0 || row_bytes_ > UINT32_MAX / info.height) return false;
  image_bytes_ = row_bytes_ * info.height;
  if (info.receive_bytes < MinReceiveBytes(row_bytes_)) return false;

  info_ = info;
  application_ = application;
  writer_.Init(application.write, application.context);
  credit_rows_ = static_cast<uint32_t>((info.receive_bytes - kProbeReserve) / RowCost(row_bytes_));
  session_ = 0;
  state_ = State::kIdle;
  return true;
}

void DeviceLink::OnByte(uint8_t byte) {
  unsound_ = true;
  if (!reader_.Push(byte)) return;
  Handle();
  // From here on: computing is no silence of the host's.
  unsound_ = false;
  timed_ = false;
}

bool DeviceLink::MayRest(uint32_t now, uint32_t doubt) {
  if (!faster_ || !unsound_) return true;
  if (!timed_) {
    timed_ = true;
    unsound_at_ = now;
  }
  if (now - unsound_at_ > doubt) {
    faster_ = false;
    application_.speed(application_.context, kDefaultBaud, true);
  }
  return false;
}

void DeviceLink::Handle() {
  const uint8_t* payload = reader_.payload();
  const size_t size = reader_.payload_size();
  const auto request = static_cast<Request>(reader_.type());
  if (request == Request::kHello) {
    HandleHello(payload, size);
    return;
  }
  if (session_ == 0) {
    SendError(ErrorCode::kNoSession, 0);
    return;
  }
  switch (request) {
    case Request::kBegin:
      HandleBegin(payload, size);
      break;
    case Request::kRows:
      HandleRows(payload, size);
      break;
    case Request::kResult:
      HandleResult(payload, size);
      break;
    case Request::kRead:
      HandleRead(payload, size);
      break;
    case Request::kCounts:
      HandleCounts(size);
      break;
    case Request::kSpeed:
      HandleSpeed(payload, size);
      break;
    case Request::kLastFault:
      HandleLastFault(size);
      break;
#if SQUEEZE_INSPECT
    case Request::kWatch:
      HandleWatch(payload, size);
      break;
    case Request::kSeen:
      HandleSeen(payload, size);
      break;
#endif
    default:
      if (application_.other != nullptr && application_.other(application_.context, reader_, &writer_)) break;
      SendError(ErrorCode::kUnknownType, reader_.type());
      break;
  }
}

void DeviceLink::HandleHello(const uint8_t* payload, size_t size) {
  // The version comes first in every version, so it is looked at first.
  if (size >= 1 && payload[0] != kProtocolVersion) {
    SendError(ErrorCode::kVersion, kProtocolVersion);
    return;
  }
  if (size != 5 || LoadU32(payload + 1) == 0) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  const uint32_t session = LoadU32(payload + 1);
  if (session != session_) {
    session_ = session;
    state_ = State::kIdle;
#if SQUEEZE_INSPECT
    if (inspector_ != nullptr) inspector_->Ask({});
#endif
  }
  SendInfo();
}

void DeviceLink::HandleBegin(const uint8_t* payload, size_t size) {
  if (size != 4) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  const uint32_t image = LoadU32(payload);
  if (state_ == State::kIdle || image != image_) {
    image_ = image;
    state_ = State::kReceiving;
    failure_ = 0;
    next_byte_ = 0;
    row_fill_ = 0;
    const uint8_t status = application_.begin_image(application_.context);
    if (status != 0) Fail(status);
  }
  SendStatus();
}

void DeviceLink::HandleRows(const uint8_t* payload, size_t size) {
  if (size <= kRowsHeader) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  if (!Current(LoadU32(payload))) return;
  const uint32_t offset = LoadU32(payload + 4);
  const uint8_t* data = payload + kRowsHeader;
  const size_t data_size = size - kRowsHeader;
  if (state_ != State::kReceiving || offset != next_byte_) {
    SendStatus();  // a gap or a duplicate: the host reads next_byte
    return;
  }
  if (data_size > image_bytes_ - next_byte_) {
    SendError(ErrorCode::kOutOfRange, static_cast<uint32_t>(image_bytes_));
    return;
  }
  // The answer goes out before the engine runs: the data has left the receive
  // buffer, so the next rows may come while it computes.
  next_byte_ += data_size;
  SendStatus();
  Consume(data, data_size);
}

void DeviceLink::Consume(const uint8_t* data, size_t size) {
  while (size > 0) {
    const size_t space = row_bytes_ - row_fill_;
    const size_t part = size < space ? size : space;
    memcpy(application_.row + row_fill_, data, part);
    row_fill_ += part;
    data += part;
    size -= part;
    if (row_fill_ < row_bytes_) return;
    row_fill_ = 0;
    const uint8_t status = application_.push_row(application_.context, application_.row);
    if (status != 0) {
      Fail(status);
      return;
    }
  }
  if (next_byte_ < image_bytes_) return;
  if (application_.done(application_.context)) {
    state_ = State::kDone;
  } else {
    Fail(kFailureNoResult);
  }
}

void DeviceLink::HandleResult(const uint8_t* payload, size_t size) {
  if (size != 4) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  if (!Current(LoadU32(payload))) return;
  if (state_ != State::kDone) {
    SendStatus();
    return;
  }
  const Cost cost = application_.cost(application_.context);
  writer_.Begin(static_cast<uint8_t>(Reply::kResult), reader_.sequence());
  writer_.U32(image_);
  writer_.U64(cost.count);
  writer_.U32(cost.sram_high_water);
  writer_.U32(cost.stack_high_water);
  writer_.End();
}

void DeviceLink::HandleRead(const uint8_t* payload, size_t size) {
  if (size != 11) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  if (!Current(LoadU32(payload))) return;
  if (state_ != State::kDone) {
    SendStatus();
    return;
  }
  const uint8_t what = payload[4];
  Blob blob = {nullptr, 0};
  switch (static_cast<Data>(what)) {
    case Data::kLogits:
      blob = application_.logits(application_.context);
      break;
    case Data::kProbabilities:
      blob = application_.probabilities(application_.context);
      break;
    default:
      SendError(ErrorCode::kUnknownData, what);
      return;
  }
  const uint32_t offset = LoadU32(payload + 5);
  const size_t length = LoadU16(payload + 9);
  if (length > kMaxReadData || offset > blob.size || length > blob.size - offset) {
    SendError(ErrorCode::kOutOfRange, static_cast<uint32_t>(blob.size));
    return;
  }
  writer_.Begin(static_cast<uint8_t>(Reply::kData), reader_.sequence());
  writer_.U32(image_);
  writer_.U8(what);
  writer_.U32(offset);
  writer_.Bytes(blob.data + offset, length);
  writer_.End();
}

void DeviceLink::HandleLastFault(size_t size) {
  if (size != 0) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  writer_.Begin(static_cast<uint8_t>(Reply::kLastFault), reader_.sequence());
  writer_.Bytes(info_.last_fault.data, info_.last_fault.size);
  writer_.End();
}

void DeviceLink::HandleCounts(size_t size) {
  if (size != 0) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  writer_.Begin(static_cast<uint8_t>(Reply::kCounts), reader_.sequence());
  writer_.U32(application_.dropped == nullptr ? 0 : application_.dropped(application_.context));
  writer_.U32(reader_.damaged());
  writer_.U32(reader_.intact());
  writer_.End();
}

void DeviceLink::HandleSpeed(const uint8_t* payload, size_t size) {
  if (size != 4) {
    SendError(ErrorCode::kMalformed, reader_.type());
    return;
  }
  const uint32_t baud = LoadU32(payload);
  // Slower ones could take longer for a frame than kDoubtSeconds.
  const bool possible = application_.speed != nullptr && baud >= kDefaultBaud;
  const uint32_t real = possible ? application_.speed(application_.context, baud, false) : 0;
  writer_.Begin(static_cast<uint8_t>(Reply::kSpeed), reader_.sequence());
  writer_.U32(real);
  writer_.End();
  if (real == 0) return;
  application_.speed(application_.context, baud, true);
  faster_ = baud != kDefaultBaud;
}

bool DeviceLink::Current(uint32_t image) {
  if (state_ != State::kIdle && image == image_) return true;
  SendError(ErrorCode::kWrongImage, state_ == State::kIdle ? 0 : image_);
  return false;
}

void DeviceLink::Fail(uint8_t failure) {
  state_ = State::kFailed;
  failure_ = failure;
}

void DeviceLink::SendInfo() {
  writer_.Begin(static_cast<uint8_t>(Reply::kInfo), reader_.sequence());
  writer_.U8(kProtocolVersion);
  writer_.U32(session_);
  writer_.Bytes(info_.model_sha256, kSha256Size);
  writer_.U16(info_.height);
  writer_.U16(info_.width);
  writer_.U16(info_.channels);
  writer_.U16(info_.classes);
  writer_.U16(kMaxFrame);
  writer_.U32(info_.receive_bytes - static_cast<uint32_t>(kProbeReserve));
  writer_.U32(info_.arena_bytes);
  writer_.U32(info_.static_sram_bytes);
  writer_.U32(info_.sram_total_bytes);
  writer_.U32(info_.flash_used_bytes);
  writer_.U32(info_.flash_total_bytes);
  writer_.U8(static_cast<uint8_t>(info_.counter_kind));
  writer_.U32(info_.counter_hz);
  writer_.Bytes(info_.build_id, kBuildIdBytes);
  writer_.Bytes(info_.engine_sha256, kSha256Size);
  writer_.U8(static_cast<uint8_t>(info_.reset_cause));
  writer_.U32(info_.features);
  const size_t length = Length(info_.board);
  writer_.U8(static_cast<uint8_t>(length));
  writer_.Bytes(reinterpret_cast<const uint8_t*>(info_.board), length);
  writer_.End();
}

void DeviceLink::SendStatus() {
  const size_t row = next_byte_ / row_bytes_;
  const size_t left = info_.height - row;
  const bool wanted = state_ == State::kReceiving;
  writer_.Begin(static_cast<uint8_t>(Reply::kStatus), reader_.sequence());
  writer_.U32(session_);
  writer_.U32(image_);
  writer_.U8(static_cast<uint8_t>(state_));
  writer_.U8(failure_);
  writer_.U32(static_cast<uint32_t>(next_byte_));
  writer_.U32(static_cast<uint32_t>(row + (!wanted ? 0 : left < credit_rows_ ? left : credit_rows_)));
  writer_.End();
}

void DeviceLink::SendError(ErrorCode code, uint32_t detail) {
  writer_.Begin(static_cast<uint8_t>(Reply::kError), reader_.sequence());
  writer_.U8(static_cast<uint8_t>(code));
  writer_.U32(detail);
  writer_.End();
}

}  // namespace squeeze::link
