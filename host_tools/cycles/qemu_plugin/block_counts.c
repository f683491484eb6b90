/* SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A plugin for QEMU (7.2 or newer, plugin API 1) and Thumb code: counts how often each translation block runs, and how often
 * a branch that is taken leaves it or leads to it. It is loaded into QEMU, so it has QEMU's licence; nothing of it gets
 * into a firmware. QEMU's packages have no header for plugins: what is used of the API is declared here.
 *
 * A firmware says what the counts belong to by calling marks, a row of functions that do nothing but return
 * ("bx lr", 2 bytes each). From the call of the n-th mark on everything counts for n.
 *
 *   qemu-system-arm ... -plugin block_counts.so,out=FILE[,marks=ADDRESS,count=N]
 *                       [,flash=ADDRESS,bytes=N,line=BYTES,code_lines=N,data_lines=N]
 *
 * With flash= it also follows what a flash with two small buffers of lines does (both give up the line that was
 * used longest ago): one for instructions, one for data.
 *
 * When QEMU ends, FILE gets a line for each block and mark with counts:
 *   mark address instructions runs left entered jumped next data bytes-of-its-code
 * Numbers are decimal, bytes hexadecimal. left: by a branch that was taken, or an exception; entered: likewise.
 * Lines that were not in a buffer: jumped: the first of a block that was entered; next: others of instructions;
 * data: of what the block's loads read.
 * A last line "end" says that the file is whole.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                                  void (*cb)(qemu_plugin_id_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*cb)(unsigned, void *),
                                                 enum qemu_plugin_cb_flags flags, void *data);
/* Loads and stores, as QEMU 7.2 calls back for neither where it is asked for one of them. */
enum qemu_plugin_mem_rw { QEMU_PLUGIN_MEM_RW = 3 };
extern void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                             void (*cb)(unsigned, uint32_t, uint64_t, void *),
                                             enum qemu_plugin_cb_flags flags, enum qemu_plugin_mem_rw rw,
                                             void *data);
extern bool qemu_plugin_mem_is_store(uint32_t info);
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, void (*cb)(qemu_plugin_id_t, void *),
                                           void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
extern const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

enum { kMostMarks = 1024, kBuckets = 4096, kMostCode = 4096, kMostLines = 4096, kMostFlash = 1 << 26 };

struct Counts {
  uint64_t runs;
  uint64_t left;
  uint64_t entered;
  uint64_t jumped;
  uint64_t next;
  uint64_t data;
};

/* Lines of the flash that are at hand. */
struct Buffer {
  uint64_t lines;    /* how many it has room for */
  uint64_t held;     /* how many it has */
  uint32_t *line;    /* [lines] */
  uint64_t *used;    /* [lines]: when */
  uint32_t *place;   /* [lines of the flash]: where it is in `line`, plus 1; 0: not there */
  uint64_t time;
};

struct Block {
  struct Block *next; /* in its bucket */
  uint64_t start;
  uint64_t end;
  uint32_t instructions;
  int64_t mark; /* this block is mark number ...; else -1 */
  struct Counts *counts; /* [g_marks] */
  uint8_t *code;
};

static struct Block *g_buckets[kBuckets];
static struct Block *g_last;
static uint64_t g_first_mark;
static uint64_t g_marks = 1; /* how many there are */
static uint64_t g_now;       /* the mark that was called last; 0 from the start */
static const char *g_out;
static uint64_t g_flash, g_flash_bytes, g_line_bytes;
static struct Buffer g_code, g_data;

static void *Zeros(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (memory == NULL) {
    fprintf(stderr, "block_counts: no memory\n");
    exit(1);
  }
  return memory;
}

/* Whether a line had to be read; it is in the buffer from now on. */
static bool Missed(struct Buffer *buffer, uint64_t address) {
  const uint32_t line = (uint32_t)((address - g_flash) / g_line_bytes);
  const uint32_t place = buffer->place[line];
  ++buffer->time;
  if (place != 0) {
    buffer->used[place - 1] = buffer->time;
    return false;
  }
  uint64_t at = buffer->held;
  if (at < buffer->lines) {
    ++buffer->held;
  } else {
    at = 0;
    for (uint64_t i = 1; i < buffer->lines; ++i) {
      if (buffer->used[i] < buffer->used[at]) at = i;
    }
    buffer->place[buffer->line[at]] = 0;
  }
  buffer->line[at] = line;
  buffer->used[at] = buffer->time;
  buffer->place[line] = (uint32_t)at + 1;
  return true;
}

static bool InFlash(uint64_t address) { return address - g_flash < g_flash_bytes; }

static void Fetch(struct Block *block, bool entered) {
  struct Counts *counts = &block->counts[g_now];
  uint64_t at = block->start;
  for (bool first = true; at < block->end; first = false) {
    if (Missed(&g_code, at)) ++*(first && entered ? &counts->jumped : &counts->next);
    at += g_line_bytes - (at - g_flash) % g_line_bytes;
  }
}

static void Access(unsigned vcpu, uint32_t info, uint64_t address, void *data) {
  struct Block *block = data;
  (void)vcpu;
  if (!InFlash(address) || qemu_plugin_mem_is_store(info)) return;
  if (Missed(&g_data, address)) ++block->counts[g_now].data;
}

static void Run(unsigned vcpu, void *data) {
  struct Block *block = data;
  (void)vcpu;
  const bool entered = g_last != NULL && g_last->end != block->start;
  if (entered) {
    ++g_last->counts[g_now].left;
    ++block->counts[g_now].entered;
  }
  if (InFlash(block->start)) Fetch(block, entered);
  ++block->counts[g_now].runs;
  g_last = block;
  if (block->mark >= 0) g_now = (uint64_t)block->mark;
}

/* Of a Thumb instruction (Arm DDI 0403E, A5.1). Not qemu_plugin_insn_size: at the end of a page QEMU 7.2 reads the
 * first half of the next instruction, too, and counts it as the last one's. */
static size_t Size(const uint8_t *data) { return data[1] >> 3 >= 0x1d ? 4 : 2; }

static struct Block *Find(const struct qemu_plugin_tb *tb) {
  const uint64_t start = qemu_plugin_tb_vaddr(tb);
  const size_t n = qemu_plugin_tb_n_insns(tb);
  struct Block **place = &g_buckets[(start >> 1) % kBuckets];
  for (; *place != NULL; place = &(*place)->next) {
    if ((*place)->start == start && (*place)->instructions == n) return *place;
  }
  struct Block *block = Zeros(1, sizeof *block);
  uint8_t code[kMostCode];
  size_t bytes = 0;
  for (size_t i = 0; i < n; ++i) {
    const uint8_t *data = qemu_plugin_insn_data(qemu_plugin_tb_get_insn(tb, i));
    const size_t size = Size(data);
    if (bytes + size > sizeof code) abort(); /* a block has 512 instructions of 4 bytes at most */
    memcpy(code + bytes, data, size);
    bytes += size;
  }
  block->start = start;
  block->end = start + bytes;
  block->instructions = (uint32_t)n;
  block->mark = -1;
  if (g_first_mark <= start && start < g_first_mark + 2 * g_marks) {
    block->mark = (int64_t)((start - g_first_mark) / 2);
  }
  block->counts = Zeros(g_marks, sizeof *block->counts);
  block->code = Zeros(bytes, 1);
  memcpy(block->code, code, bytes);
  *place = block;
  return block;
}

static void Translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  struct Block *block = Find(tb);
  qemu_plugin_register_vcpu_tb_exec_cb(tb, Run, QEMU_PLUGIN_CB_NO_REGS, block);
  if (g_flash_bytes == 0) return;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i) {
    qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), Access, QEMU_PLUGIN_CB_NO_REGS,
                                     QEMU_PLUGIN_MEM_RW, block);
  }
}

static void Write(qemu_plugin_id_t id, void *data) {
  (void)id;
  (void)data;
  FILE *file = fopen(g_out, "w");
  if (file == NULL) {
    perror(g_out);
    return;
  }
  for (size_t i = 0; i < kBuckets; ++i) {
    for (const struct Block *b = g_buckets[i]; b != NULL; b = b->next) {
      for (uint64_t mark = 0; mark < g_marks; ++mark) {
        const struct Counts counts = b->counts[mark];
        if (counts.runs == 0 && counts.left == 0) continue;
        fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu32 " ", mark, b->start, b->instructions);
        fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 " ", counts.runs, counts.left, counts.entered);
        fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 " ", counts.jumped, counts.next, counts.data);
        for (uint64_t at = 0; at < b->end - b->start; ++at) fprintf(file, "%02x", b->code[at]);
        fputc('\n', file);
      }
    }
  }
  fputs("end\n", file);
  if (fclose(file) != 0) perror(g_out);
}

static bool Prepare(struct Buffer *buffer) {
  if (buffer->lines == 0 || buffer->lines > kMostLines) return false;
  if (g_line_bytes == 0 || g_line_bytes > kMostLines || g_flash_bytes > kMostFlash) return false;
  buffer->line = Zeros(buffer->lines, sizeof *buffer->line);
  buffer->used = Zeros(buffer->lines, sizeof *buffer->used);
  buffer->place = Zeros(g_flash_bytes / g_line_bytes + 1, sizeof *buffer->place);
  return true;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv) {
  (void)info;
  const struct {
    const char *name;
    uint64_t *value;
  } numbers[] = {
      {"marks=", &g_first_mark},  {"count=", &g_marks},           {"flash=", &g_flash},
      {"bytes=", &g_flash_bytes}, {"line=", &g_line_bytes},       {"code_lines=", &g_code.lines},
      {"data_lines=", &g_data.lines},
  };
  for (int i = 0; i < argc; ++i) {
    bool known = strncmp(argv[i], "out=", 4) == 0;
    if (known) g_out = strdup(argv[i] + 4);
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; ++n) {
      const size_t length = strlen(numbers[n].name);
      if (strncmp(argv[i], numbers[n].name, length) != 0) continue;
      *numbers[n].value = strtoull(argv[i] + length, NULL, 0);
      known = true;
    }
    if (!known) {
      fprintf(stderr, "block_counts: unknown option %s\n", argv[i]);
      return -1;
    }
  }
  if (g_out == NULL || g_marks == 0 || g_marks > kMostMarks) {
    fprintf(stderr, "block_counts: want out=FILE, and count=N of 1 to %d\n", kMostMarks);
    return -1;
  }
  if (g_flash_bytes != 0 && (!Prepare(&g_code) || !Prepare(&g_data))) {
    fprintf(stderr, "block_counts: want line=, code_lines= and data_lines= of 1 to %d, and bytes= of at most %d\n",
            kMostLines, kMostFlash);
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, Translate);
  qemu_plugin_register_atexit_cb(id, Write, NULL);
  return 0;
}
