// The device's end of an upload (docs/update.md): answers the requests that send a new model into the slot
// which does not run. DeviceLink hands it those that it does not know itself:
//
//   UploadLink upload;   // static; the slots and the checks are the application's
//   upload.Init(setup);
//   application.other = [](void*, const FrameReader& request, FrameWriter* reply) {
//     return upload.Handle(request, reply); };
#ifndef PROTOCOL_UPLOAD_H_
#define PROTOCOL_UPLOAD_H_

#include <stddef.h>
#include <stdint.h>

#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"
#include "protocol/wire.h"
#include "update/slot_store.h"

namespace squeeze::link {

// Each is idempotent. `id`: the first four bytes of the new model's SHA-256.
enum class UploadRequest : uint8_t {
  kOffer = 0x10,   // nothing: asks for HELD; or what u8, manifest (update/manifest.h): begins, or only checks
  kHashes = 0x11,  // block u16, first u32
  kCopy = 0x12,    // id u32, offset u32, pieces: copy u32, from u32, count u16, `count` bytes
  kData = 0x13,    // id u32, offset u32, bytes; id u32 alone: only asks for UPLOAD_STATE
  kFinish = 0x14,  // id u32
  kCancel = 0x15,  // id u32
};

enum class UploadReply : uint8_t {
  kState = 0x90,   // id u32, state u8, reason u8, received u32, seen u32, wanted u32
  kHashes = 0x91,  // block u16, first u32, of each block: rolling sum u32, strong hash (2 bytes)
  kHeld = 0x92,    // what the device holds and takes: see SendHeld
};

enum class UploadState : uint8_t {
  kIdle = 0,
  kReceiving = 1,
  kDone = 2,     // verified; it starts when the device has restarted, which follows
  kRefused = 3,  // `reason`; the model that runs stays what it is
};

// Why. `seen` and `wanted` say more; where a line says nothing of them they are 0.
enum class UploadReason : uint8_t {
  kNone = 0,
  kTooLarge = 1,      // seen bytes, wanted at most
  kOlder = 2,         // seen counter, wanted at least
  kManifest = 3,      // seen version, wanted
  kFormat = 4,        // seen version of the engine's format, wanted
  kSize = 5,          // of the input: seen height << 16 | width, wanted
  kChannels = 6,      // seen channels << 16 | classes, wanted
  kArena = 7,         // seen bytes that it needs, wanted at most
  kKernels = 8,       // seen: a bit for each that is missing (engine/built_kernels.h), wanted: those there
  kSignature = 9,     // not by the key that this firmware was built with
  kNotBegun = 10,     // offer it first; also after a restart
  kIncomplete = 11,   // seen bytes, wanted
  kTooMuch = 12,      // seen bytes, wanted at most
  kWrongSha = 13,     // what lies in the flash has another SHA-256 than was offered
  kModel = 14,        // seen: the engine's status
  kAnswer = 15,       // seen CRC-32 of the logits, wanted
  kFlash = 16,        // the flash reports an error
  kNoSlots = 17,      // the board has none
  kOtherModel = 18,   // the model's own records are not those that were offered
  kUnconfirmed = 19,  // the model that runs has not answered yet: an upload would take what to roll back to
};

// A block of HASHES, and of strong hashes the part that travels. Both together are 48 bits: of half a
// megabyte's 2^19 offsets and 2^9 blocks, two differ and look alike once in a million uploads. The SHA-256 of
// the whole model finds that, and the host sends it again without copies.
inline constexpr uint16_t kMinHashBlock = 16;
inline constexpr uint16_t kMaxHashBlock = 4096;
inline constexpr size_t kStrongBytes = 2;
inline constexpr size_t kHashesHeader = 6;
inline constexpr size_t kMaxHashes = (kMaxPayload - kHashesHeader) / (4 + kStrongBytes);
// Bytes of the new model that one COPY makes: what it takes to erase and to program them bounds the silence.
inline constexpr uint32_t kMaxCopy = 16384;
inline constexpr size_t kPieceHeader = 10;

// Why a model is not taken, or kNone.
struct Refusal {
  UploadReason reason;
  uint32_t seen;
  uint32_t wanted;
};

// What runs, to copy from.
struct RunningModel {
  const uint8_t* data;
  uint32_t bytes;
  uint8_t slot;  // 0xFF: the one that is linked into the firmware
};
inline constexpr uint8_t kLinkedModel = 0xFF;

// What an upload asks of the rest of the firmware; all functions get `context`.
struct UploadSetup {
  void* context;
  update::SlotStore* store;
  uint32_t kernels;      // squeeze::BuiltKernels()
  uint32_t arena_bytes;  // that the firmware has for the engine
  uint16_t height;       // of the input
  uint16_t width;
  uint16_t channels;
  uint16_t classes;
  uint32_t slowest_erase_ms;  // of a sector
  uint8_t slots;              // that the board has

  // 32 bytes: whose models alone are taken; null: everybody's.
  const uint8_t* public_key;

  // True where the manifest is signed by the owner of that key; null without one.
  bool (*signed_by)(const uint8_t* public_key, const update::Manifest& manifest);

  RunningModel (*running)(void* context);

  // Of a board with one slot: lets the linked model run, and calls store->Vacate().
  void (*leave_slot)(void* context);

  // Loads the model at `data`, has it answer the golden input, and loads the running one again.
  Refusal (*try_model)(void* context, const update::Manifest& manifest, const uint8_t* data);
};

class UploadLink {
 public:
  // Keeps a copy of `setup`.
  void Init(const UploadSetup& setup) { setup_ = setup; }

  // Answers the request; false: it is none of an upload's, and nothing was sent.
  bool Handle(const FrameReader& request, FrameWriter* reply);

  // A new model is ready: restart the board once the answer is out.
  bool restart_wanted() const { return state_ == UploadState::kDone; }

 private:
  struct Try;

  void HandleOffer();
  void HandleHashes();
  void HandleCopy();
  void HandleData();
  void HandleFinish();
  void HandleCancel();

  Refusal Check(const update::Manifest& manifest) const;
  Refusal Begin(const update::Manifest& manifest);
  bool PiecesFit(const uint8_t* pieces, size_t size, uint32_t room) const;
  bool Append(const uint8_t* data, uint32_t bytes);
  bool InPlace();
  void Refuse(const Refusal& refusal);

  void SendHeld();
  void SendState();
  void SendState(uint32_t id, UploadState state, const Refusal& refusal);
  void SendError(ErrorCode code, uint32_t detail);

  UploadSetup setup_ = {};
  const FrameReader* request_ = nullptr;  // while it is answered
  FrameWriter* reply_ = nullptr;

  update::Manifest manifest_ = {};  // of the upload under way, or the last one
  UploadState state_ = UploadState::kIdle;
  Refusal refusal_ = {UploadReason::kNone, 0, 0};
  const uint8_t* hashed_ = nullptr;  // the model whose SHA-256 this is
  uint8_t running_sha256_[32] = {};
};

}  // namespace squeeze::link

#endif  // PROTOCOL_UPLOAD_H_
