// What a page calls: squeeze.h for one model, with addresses and statuses as plain numbers.
//
// The page lays the model and the arena behind the program's own data (__heap_base), and grows the memory for
// them first. All addresses are of this module's memory.
#include <stddef.h>
#include <stdint.h>

#include "engine/squeeze.h"

#define WEB_EXPORT(name) extern "C" __attribute__((export_name(#name), used))

namespace {

squeeze_engine g_engine;

}  // namespace

// Bytes of arena that the model wants, or minus a squeeze_status where it is none that runs here.
WEB_EXPORT(web_arena_bytes) int32_t WebArenaBytes(const uint8_t* model, size_t size) {
  size_t bytes = 0;
  const squeeze_status status = squeeze_arena_bytes(model, size, &bytes);
  if (status != SQUEEZE_OK) return -static_cast<int32_t>(status);
  return bytes <= INT32_MAX ? static_cast<int32_t>(bytes) : -static_cast<int32_t>(SQUEEZE_BAD_OFFSET);
}

// Checks all of the model and binds the engine to it; a squeeze_status, as all below that say int32_t.
WEB_EXPORT(web_init)
int32_t WebInit(const uint8_t* model, size_t size, uint8_t* arena, size_t arena_bytes) {
  return squeeze_init(&g_engine, model, size, arena, arena_bytes);
}

WEB_EXPORT(web_height) uint32_t WebHeight() { return squeeze_get_shape(&g_engine).height; }
WEB_EXPORT(web_width) uint32_t WebWidth() { return squeeze_get_shape(&g_engine).width; }
WEB_EXPORT(web_channels) uint32_t WebChannels() { return squeeze_get_shape(&g_engine).channels; }
WEB_EXPORT(web_classes) uint32_t WebClasses() { return squeeze_get_shape(&g_engine).classes; }

WEB_EXPORT(web_reset) int32_t WebReset() { return squeeze_reset(&g_engine); }

// Where the next row goes, before web_push; null when the image is complete.
WEB_EXPORT(web_row) int8_t* WebRow() { return squeeze_input_row(&g_engine); }

// Takes the row that lies at web_row, and computes all that it makes possible.
WEB_EXPORT(web_push) int32_t WebPush() { return squeeze_push_row(&g_engine, squeeze_input_row(&g_engine)); }

// The results, classes int8 each; null until the last row is in.
WEB_EXPORT(web_logits) const int8_t* WebLogits() { return squeeze_logits(&g_engine); }
WEB_EXPORT(web_probabilities) const int8_t* WebProbabilities() { return squeeze_probabilities(&g_engine); }

// A status in a few words, ended by a zero.
WEB_EXPORT(web_status_text) const char* WebStatusText(int32_t status) { return squeeze_status_text(status); }
