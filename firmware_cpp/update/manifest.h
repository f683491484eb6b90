// What a host says of a model before it sends it, and what a slot keeps of it.
#ifndef FIRMWARE_CPP_UPDATE_MANIFEST_H_
#define FIRMWARE_CPP_UPDATE_MANIFEST_H_

#include <stddef.h>
#include <stdint.h>

namespace update {

// On the wire and in flash as it lies in memory: every CPU here is little-endian. `signature` is over all
// bytes before it. The slots look at `version`, `bytes`, `counter` and `sha256` only.
struct Manifest {
  uint32_t version;  // kManifestVersion
  uint32_t bytes;    // of the engine's model
  uint32_t counter;  // never below that of a model which has been confirmed
  uint32_t arena_bytes;
  uint16_t height;  // of the input
  uint16_t width;
  uint16_t channels;
  uint16_t classes;
  uint32_t kernels;           // a bit for each that the model needs
  uint32_t golden_crc32;      // of the logits of the golden input
  uint8_t sha256[32];         // of the engine's model
  uint8_t source_sha256[32];  // of the .tflite that it was made of
  uint8_t signature[64];      // zeros: not signed
};
constexpr uint32_t kManifestVersion = 1;
constexpr size_t kManifestBytes = 160;
constexpr size_t kSignedBytes = offsetof(Manifest, signature);
static_assert(sizeof(Manifest) == kManifestBytes && kSignedBytes == 96, "a hole between its members");

}  // namespace update

#endif  // FIRMWARE_CPP_UPDATE_MANIFEST_H_
