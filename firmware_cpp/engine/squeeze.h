/* The engine for C projects, and for Python through ctypes. See engine/engine.h. */
#ifndef SQUEEZE_ENGINE_SQUEEZE_H_
#define SQUEEZE_ENGINE_SQUEEZE_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An engine's own state; give it room and treat it as opaque. */
#define SQUEEZE_ENGINE_WORDS 16
typedef struct squeeze_engine {
  uint64_t storage[SQUEEZE_ENGINE_WORDS];
} squeeze_engine;

typedef struct squeeze_shape {
  uint16_t height;
  uint16_t width;
  uint16_t channels;
  uint16_t classes;
} squeeze_shape;

typedef void (*squeeze_row_observer)(void* context, int buffer, int row, const int8_t* data);

/* Statuses are those of engine/status.h; 0 is success. */

/* Checks the model at `blob` and tells how much arena it needs. */
int squeeze_arena_bytes(const uint8_t* blob, size_t size, size_t* arena_bytes);

/* Checks the model and binds it to an arena (8-byte aligned). Both stay in use. */
int squeeze_init(squeeze_engine* engine, const uint8_t* blob, size_t size, uint8_t* arena,
                 size_t arena_bytes);

/* All zeros before squeeze_init has succeeded; the results below are then null. */
squeeze_shape squeeze_get_shape(const squeeze_engine* engine);

/* Starts an image. */
void squeeze_reset(squeeze_engine* engine);

/* Takes the next row: width * channels int8, HWC. */
int squeeze_push_row(squeeze_engine* engine, const int8_t* row);

/* 1 once all rows are in; then the results hold `classes` int8 each. */
int squeeze_done(const squeeze_engine* engine);
const int8_t* squeeze_logits(const squeeze_engine* engine);
const int8_t* squeeze_probabilities(const squeeze_engine* engine);

/* Sees every finished row of every buffer. */
void squeeze_set_observer(squeeze_engine* engine, squeeze_row_observer observer, void* context);

#ifdef __cplusplus
}
#endif

#endif /* SQUEEZE_ENGINE_SQUEEZE_H_ */
