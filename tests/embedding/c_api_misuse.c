/* Every function of squeeze.h with null and misaligned pointers, too early and too late. Prints what is wrong;
 * under the sanitizers, a fault ends it. */
#include <stdio.h>
#include <string.h>

#include "engine/squeeze.h"
#include "model_settings.h"
#include "model_sqz.h"

#define LARGE ((size_t)1 << 30)

static squeeze_engine engine;
static squeeze_engine other; /* stays all zeros */
static _Alignas(8) uint8_t arena[MODEL_ARENA_BYTES + 8];
static _Alignas(8) uint8_t moved[MODEL_ROW_BYTES + 64];
static _Alignas(8) uint8_t odd[sizeof(squeeze_engine) + 8];
static int wrong;

static void expect(int line, long value, long wanted) {
  if (value == wanted) return;
  printf("line %d: %ld, want %ld\n", line, value, wanted);
  wrong = 1;
}
#define EXPECT(value, wanted) expect(__LINE__, (long)(value), (long)(wanted))
#define EXPECT_NULL(pointer) expect(__LINE__, (pointer) == NULL, 1)

static void observe(void* context, int buffer, int row, const int8_t* data) {
  (void)buffer, (void)row, (void)data;
  ++*(int*)context;
}

/* A worker that does its half at once, on the caller's core. */
static void begin(void* context, squeeze_run run, void* half) {
  (void)context;
  run(half);
}

static void end(void* context) { (void)context; }

static squeeze_status start(squeeze_engine* e) {
  return squeeze_init(e, g_model_sqz, g_model_sqz_len, arena, MODEL_ARENA_BYTES);
}

static void check_model_arguments(void) {
  size_t bytes = 77;
  EXPECT(squeeze_arena_bytes(NULL, LARGE, &bytes), SQUEEZE_NULL);
  EXPECT(squeeze_arena_bytes(NULL, 0, &bytes), SQUEEZE_NULL);
  EXPECT(squeeze_arena_bytes(g_model_sqz, g_model_sqz_len, NULL), SQUEEZE_NULL);
  memcpy(moved, g_model_sqz, sizeof(moved));
  for (int i = 1; i < 4; ++i) EXPECT(squeeze_arena_bytes(moved + i, 60, &bytes), SQUEEZE_MISALIGNED);
  for (size_t size = 0; size < 60; ++size)
    EXPECT(squeeze_arena_bytes(moved, size, &bytes), SQUEEZE_TRUNCATED);
  EXPECT(bytes, 77);
  EXPECT(squeeze_arena_bytes(g_model_sqz, g_model_sqz_len, &bytes), SQUEEZE_OK);
  EXPECT(bytes, MODEL_ARENA_BYTES);
}

static void check_init(void) {
  const size_t size = g_model_sqz_len;
  EXPECT(start(NULL), SQUEEZE_NULL);
  EXPECT(squeeze_init(&engine, NULL, size, arena, MODEL_ARENA_BYTES), SQUEEZE_NULL);
  EXPECT(squeeze_init(&engine, g_model_sqz, size, NULL, LARGE), SQUEEZE_NULL);
  EXPECT(squeeze_init(&engine, g_model_sqz, size, NULL, 0), SQUEEZE_NULL);
  for (int i = 1; i < 8; ++i)
    EXPECT(squeeze_init(&engine, g_model_sqz, size, arena + i, MODEL_ARENA_BYTES), SQUEEZE_MISALIGNED);
  EXPECT(squeeze_init(&engine, g_model_sqz, size, arena, MODEL_ARENA_BYTES - 1), SQUEEZE_ARENA_TOO_SMALL);
  EXPECT(squeeze_init(&engine, moved + 1, sizeof(moved) - 1, arena, MODEL_ARENA_BYTES), SQUEEZE_MISALIGNED);
}

/* An engine that cannot run, for the reason `why`: no call faults, none says that there is a result. */
static void check_unusable(squeeze_engine* e, squeeze_status why) {
  int8_t row[MODEL_ROW_BYTES] = {0};
  const squeeze_shape shape = squeeze_get_shape(e);
  EXPECT(shape.height | shape.width | shape.channels | shape.classes, 0);
  EXPECT(squeeze_reset(e), why);
  EXPECT_NULL(squeeze_input_row(e));
  EXPECT(squeeze_push_row(e, row), why);
  EXPECT(squeeze_push_row(e, NULL), why);
  EXPECT(squeeze_done(e), 0);
  EXPECT_NULL(squeeze_logits(e));
  EXPECT_NULL(squeeze_probabilities(e));
  EXPECT(squeeze_set_observer(e, observe, NULL), why);
  EXPECT(squeeze_set_observer(e, NULL, NULL), why);
  EXPECT(squeeze_set_worker(e, begin, end, NULL), why);
  EXPECT(squeeze_set_worker(e, NULL, NULL, NULL), why);
}

static void check_image(void) {
  int rows = 0;
  EXPECT(start(&engine), SQUEEZE_OK);
  EXPECT(squeeze_set_observer(&engine, observe, &rows), SQUEEZE_OK);
  for (int image = 0; image < 2; ++image) {
    EXPECT(squeeze_reset(&engine), SQUEEZE_OK);
    for (int y = 0; y < MODEL_INPUT_HEIGHT; ++y) {
      EXPECT(squeeze_done(&engine), 0);
      EXPECT_NULL(squeeze_logits(&engine));
      EXPECT_NULL(squeeze_probabilities(&engine));
      EXPECT(squeeze_push_row(&engine, NULL), SQUEEZE_NULL);
      int8_t* const row = squeeze_input_row(&engine);
      memset(row, y, MODEL_ROW_BYTES);
      EXPECT(squeeze_push_row(&engine, row), SQUEEZE_OK);
    }
    EXPECT(squeeze_done(&engine), 1);
    EXPECT_NULL(squeeze_input_row(&engine));
    EXPECT(squeeze_push_row(&engine, NULL), SQUEEZE_TOO_MANY_ROWS);
    EXPECT(squeeze_push_row(&engine, (const int8_t*)arena), SQUEEZE_TOO_MANY_ROWS);
    EXPECT(squeeze_logits(&engine) != NULL && squeeze_probabilities(&engine) != NULL, 1);
  }
  EXPECT(rows > 2 * MODEL_INPUT_HEIGHT, 1);
  EXPECT(squeeze_set_worker(&engine, begin, NULL, NULL), SQUEEZE_NULL);
  EXPECT(squeeze_set_worker(&engine, NULL, end, NULL), SQUEEZE_NULL);
  EXPECT(squeeze_set_worker(&engine, begin, end, NULL), SQUEEZE_OK);
  EXPECT(squeeze_set_worker(&engine, NULL, NULL, NULL), SQUEEZE_OK);
}

int main(void) {
  check_model_arguments();
  check_unusable(NULL, SQUEEZE_NULL);
  check_unusable(&other, SQUEEZE_NOT_READY);
  check_image();
  check_init(); /* of an engine that was ready: a call that fails leaves it without a model */
  EXPECT(start(&engine), SQUEEZE_OK);
  EXPECT(squeeze_init(&engine, NULL, 0, arena, MODEL_ARENA_BYTES), SQUEEZE_NULL);
  check_unusable(&engine, SQUEEZE_NOT_READY);
  check_unusable((squeeze_engine*)(void*)(odd + 4), SQUEEZE_MISALIGNED);
  EXPECT(start((squeeze_engine*)(void*)(odd + 4)), SQUEEZE_MISALIGNED);
  return wrong;
}
