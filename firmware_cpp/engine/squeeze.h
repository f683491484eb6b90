/* The engine for C projects, and for Python through ctypes. C11 and C++11; in C++ see engine/engine.h too.
 *
 *   static squeeze_engine engine;
 *   static _Alignas(8) uint8_t arena[MODEL_ARENA_BYTES];
 *
 *   squeeze_status status = squeeze_init(&engine, g_model_sqz, g_model_sqz_len, arena, sizeof(arena));
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
 * thread or interrupt at a time. A second core may take a part of one engine's work: squeeze_set_worker.
 *
 * A null pointer or a wrong alignment gives a status, or null, 0 or zeros where a call returns no status; it
 * never faults. What the engine cannot see is the caller's to keep: that a size is the real one, and that
 * blob, arena and engine stay where they are and are not written by anybody else.
 *
 * In each call below, `engine` is one that is all zeros (a static variable is) or that squeeze_init has been
 * called with. An engine on the stack holds what was there before: call squeeze_init before anything else. */
#ifndef SQUEEZE_ENGINE_SQUEEZE_H_
#define SQUEEZE_ENGINE_SQUEEZE_H_

#include <stddef.h>
#include <stdint.h>

/* The version of this header and of the sources beside it. While MAJOR is 0, another MINOR may change the
 * API. The format of models has a number of its own: SQUEEZE_BAD_VERSION. */
#define SQUEEZE_VERSION_MAJOR 0
#define SQUEEZE_VERSION_MINOR 2
#define SQUEEZE_VERSION_PATCH 0
#define SQUEEZE_VERSION_STRING "0.2.0"

#ifdef __cplusplus
extern "C" {
#endif

/* An engine's own state, 128 bytes. Give it room, aligned as its type is (8 bytes on Arm and RISC-V), and
 * treat it as opaque. */
#define SQUEEZE_ENGINE_WORDS 16
typedef struct squeeze_engine {
  uint64_t storage[SQUEEZE_ENGINE_WORDS];
} squeeze_engine;

/* What the model takes and gives. A row of its input has width * channels bytes. */
typedef struct squeeze_shape {
  uint16_t height;   /* rows of an image: 1 to 65,535 */
  uint16_t width;    /* pixels of a row: 1 to 65,535 */
  uint16_t channels; /* bytes of a pixel: 1 to 65,535; 3 for RGB, 1 for gray */
  uint16_t classes;  /* values of each result: 1 to 65,535 */
} squeeze_shape;

/* The numbers stay: a new status gets the next number. They are those of engine/status.h. */
typedef enum squeeze_status {
  SQUEEZE_OK = 0,
  SQUEEZE_MISALIGNED = 1,      /* the model is not 4-byte aligned, or the arena or the engine not 8-byte */
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
  SQUEEZE_NO_KERNEL = 13,      /* a layer wants a kernel that is not in this build: made for another CPU */
  SQUEEZE_NULL = 14            /* a pointer that the call needs is null */
} squeeze_status;

/* A function that sees rows: squeeze_set_observer.
 *   context: as it was given.
 *   buffer:  number of the feature map, 0 to 127, as the converter numbered it.
 *   row:     0 to the map's height - 1; the rows of one map come in order.
 *   data:    the row, width * channels int8 of that map, in HWC; valid until the function returns. */
typedef void (*squeeze_row_observer)(void* context, int buffer, int row, const int8_t* data);

/* A status in a few words of English.
 *   status:  any value; "unknown" for one that is not a squeeze_status.
 * Returns a constant string, never null. */
const char* squeeze_status_text(int status);

/* Checks the model, and tells how much arena it needs. Checks the CRC-32 and every record of the model, but
 * not what the Huffman-coded weights decode to: that needs an arena, so squeeze_init checks it. A model with
 * damaged Huffman tables and a CRC-32 that fits gives SQUEEZE_OK here and SQUEEZE_BAD_LAYER there.
 *   blob:         the model (g_model_sqz, or the bytes of model.sqz), 4-byte aligned. It is only read.
 *   size:         bytes at `blob`: at least those of the model, else SQUEEZE_TRUNCATED.
 *   arena_bytes:  written only when SQUEEZE_OK is returned.
 * Needs no engine and keeps nothing. */
squeeze_status squeeze_arena_bytes(const uint8_t* blob, size_t size, size_t* arena_bytes);

/* Checks the whole model, Huffman-coded weights too, and binds the engine to it and to the arena.
 *   engine:       may hold anything; whatever it was bound to is forgotten, also when this call fails.
 *   blob, size:   as above. The blob is read in place: it must not change or move while the engine is used.
 *   arena:        8-byte aligned; what it holds does not matter. The engine's alone while the engine is used.
 *   arena_bytes:  bytes at `arena`: at least what squeeze_arena_bytes says (MODEL_ARENA_BYTES), else
 *                 SQUEEZE_ARENA_TOO_SMALL. More is not used.
 * After SQUEEZE_OK the engine is ready for the first row of an image. */
squeeze_status squeeze_init(squeeze_engine* engine, const uint8_t* blob, size_t size, uint8_t* arena,
                            size_t arena_bytes);

/* The model's shape; all zeros for a null engine and before squeeze_init has succeeded. */
squeeze_shape squeeze_get_shape(const squeeze_engine* engine);

/* Starts an image; drops one that is under way. SQUEEZE_NOT_READY before squeeze_init has succeeded. */
squeeze_status squeeze_reset(squeeze_engine* engine);

/* Where squeeze_push_row keeps the next row: fill it in place (a camera's line, DMA, a serial port), then
 * push it. It has width * channels bytes, and no alignment is promised. Null when the image is complete, for
 * a null engine, and before squeeze_init has succeeded. */
int8_t* squeeze_input_row(squeeze_engine* engine);

/* Takes the next row, top row first, and computes all that it makes possible before it returns.
 *   row:  width * channels int8, -128 to 127, in HWC (the channels of a pixel side by side); any alignment.
 *         Either what squeeze_input_row returned, or memory outside the arena, which is copied.
 * SQUEEZE_TOO_MANY_ROWS once the image is complete. */
squeeze_status squeeze_push_row(squeeze_engine* engine, const int8_t* row);

/* 1 once all rows of the image are in; 0 before, for a null engine, and before squeeze_init has succeeded. */
int squeeze_done(const squeeze_engine* engine);

/* The results of the image: `classes` int8, -128 to 127, in the arena, without a promised alignment. They are
 * null until squeeze_done says 1, and stay until squeeze_reset or squeeze_init. */
const int8_t* squeeze_logits(const squeeze_engine* engine);
const int8_t* squeeze_probabilities(const squeeze_engine* engine); /* + 128: parts of 256 */

/* Has a function called with every finished row of every feature map, the input's too, from within
 * squeeze_push_row. For tests: it costs time.
 *   observer:  null for none, as squeeze_init leaves it. It must not call into this engine.
 *   context:   handed to `observer` as it is; may be null.
 * SQUEEZE_NOT_READY before squeeze_init has succeeded. */
squeeze_status squeeze_set_observer(squeeze_engine* engine, squeeze_row_observer observer, void* context);

/* The half of a step that another core, or a thread, makes: squeeze_set_worker. It needs as much stack there
 * as squeeze_push_row here, or less. half:  as squeeze_start was given it. */
typedef void (*squeeze_run)(void* half);

/* Has the other core call run(half), once, and need not wait for it. Whatever this core wrote before must be
 * visible to the other one then: a memory barrier belongs here.
 *   context:    as it was given. */
typedef void (*squeeze_start)(void* context, squeeze_run run, void* half);

/* Returns once that call of run has returned, and what it wrote is visible here: a barrier again. */
typedef void (*squeeze_wait)(void* context);

/* Has another core make half of the rows of each step, in models that the converter made for two (CORES=2).
 * The results are the same bytes with a worker and without one.
 *   start, wait:  called by turns from within squeeze_push_row: start, wait, start, wait. Null, both of them,
 *                 for no worker, as squeeze_init leaves it.
 *   context:      handed to both as it is; may be null.
 * SQUEEZE_NULL where only one of the two is null. SQUEEZE_NOT_READY before squeeze_init has succeeded. Not to
 * be called from within squeeze_push_row.
 *
 *   static squeeze_run volatile work;     with a second core that shares this one's memory
 *   static void* volatile half;
 *
 *   static void start(void* context, squeeze_run run, void* its_half) {
 *     half = its_half;
 *     barrier();                          __DMB() on an Arm
 *     work = run;
 *     wake_other_core();                  __SEV()
 *   }
 *   static void wait(void* context) {
 *     while (work) {
 *     }
 *     barrier();
 *   }
 *   void other_core(void) {               what the second core runs, from its start
 *     for (;;) {
 *       while (!work) sleep();            __WFE()
 *       barrier();
 *       work(half);
 *       barrier();
 *       work = 0;
 *     }
 *   }
 *   squeeze_set_worker(&engine, start, wait, 0); */
squeeze_status squeeze_set_worker(squeeze_engine* engine, squeeze_start start, squeeze_wait wait,
                                  void* context);

#ifdef __cplusplus
}
#endif

#endif /* SQUEEZE_ENGINE_SQUEEZE_H_ */
