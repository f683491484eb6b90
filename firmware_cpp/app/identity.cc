#include "app/identity.h"

#include <stdint.h>

#include "app/inference.h"
#include "engine/sha256.h"

// sections.ld: an ELF note. Name's size, descriptor's size, type, "GNU\0"; then the id.
extern "C" const uint8_t linker_build_note[];

namespace app {
namespace {

constexpr uint32_t kNoteHeader = 16;

uint8_t g_engine_sha256[squeeze::kSha256Bytes];
bool g_known;

}  // namespace

const uint8_t* BuildId() { return linker_build_note + kNoteHeader; }

const uint8_t* EngineSha256() {
  if (!g_known) {
    const Bytes model = Model();
    squeeze::Sha256 sha;
    sha.Update(model.data, model.size);
    sha.Finish(g_engine_sha256);
    g_known = true;
  }
  return g_engine_sha256;
}

}  // namespace app
