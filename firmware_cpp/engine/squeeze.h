/* The engine for C projects, and for Python through ctypes. C11 and C++11; see engine/engine.h.
 *
 *   static squeeze_engine engine;
 *   static _Alignas(8) uint8_t arena[MODEL_ARENA_BYTES];
 *
 *   int status = squeeze_init(&engine, g_model_sqz, g_model_sqz_len, arena, sizeof(arena));
 *   if (status != SQUEEZE_OK) puts(squeeze_status_text(status));
 *
 *   squeeze_reset(&engine);
 *   while (!squeeze_done(&engine)) {
 *     int8_t* row = squeeze_input_row(&engine);    inside the arena: no buffer of your own
 *     for (int i = 0; i < MODEL_ROW_BYTES; ++i) row[i] = (int8_t)(camera_byte() - 128);
 *     squeeze_push_row(&engine, row);              computes all that this row makes possible
 *   }
 *   const int8_t* logits = squeeze_logits(&engine);
 *
 * No heap, no threads, no state but `engine` and `arena`: several engines may run side by side, each from one
 * thread or interrupt at a time. */
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

/* What the calls return: the statuses of engine/status.h. */
enum squeeze_status {
  SQUEEZE_OK = 0,
  SQUEEZE_MISALIGNED = 1,      /* the model is not 4-byte aligned, or the arena not 8-byte */
  SQUEEZE_TRUNCATED = 2,       /* fewer bytes than the header says */
  SQUEEZE_BAD_MAGIC = 3,       /* not an engine model */
  SQUEEZE_BAD_VERSION = 4,     /* written by another version of the converter */
  SQUEEZE_BAD_CHECKSUM = 5,    /* the CRC-32 does not match: damaged */
  SQUEEZE_BAD_OFFSET = 6,      /* a piece lies outside the model or the arena */
  SQUEEZE_BAD_LAYER = 7,       /* a layer's fields contradict each other or its buffers */
  SQUEEZE_BAD_ORDER = 8,       /* layers are not in execution order */
  SQUEEZE_ARENA_TOO_SMALL = 9, /* give at least what squeeze_arena_bytes says */
  SQUEEZE_NOT_READY = 10,      /* squeeze_init has not succeeded */
  SQUEEZE_TOO_MANY_ROWS = 11,  /* the image is complete: squeeze_reset first */
  SQUEEZE_INCOMPLETE = 12,     /* all rows are in but the results are not: the plan is inconsistent */
  SQUEEZE_NO_KERNEL = 13       /* a layer wants a kernel that is not in this build: made for another CPU */
};

/* A status in a few words of English; never null. */
const char* squeeze_status_text(int status);

/* Checks the model at `blob` and tells how much arena it needs. */
int squeeze_arena_bytes(const uint8_t* blob, size_t size, size_t* arena_bytes);

/* Checks the model and binds it to an arena (8-byte aligned). Both stay in use. */
int squeeze_init(squeeze_engine* engine, const uint8_t* blob, size_t size, uint8_t* arena,
                 size_t arena_bytes);

/* All zeros before squeeze_init has succeeded; the results below are then null. */
squeeze_shape squeeze_get_shape(const squeeze_engine* engine);

/* Starts an image. */
void squeeze_reset(squeeze_engine* engine);

/* Where squeeze_push_row keeps the next row: fill it in place (a camera's line, DMA, a serial port), then
 * push it. Null when the image is complete, and before squeeze_init has succeeded. */
int8_t* squeeze_input_row(squeeze_engine* engine);

/* Takes the next row, top row first: width * channels int8, HWC. */
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
