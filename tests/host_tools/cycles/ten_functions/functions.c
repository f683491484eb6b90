// Ten functions of as many kinds, each with loads, stores, branches and calls in other shares. They run in QEMU's
// microbit and in rp2040js; both read the table `functions` by its address and know what each returns.
#include <stddef.h>
#include <stdint.h>

#ifndef WORDS  // the long tests choose others
#define WORDS 256
#define SEED 1
#define DEPTH 12
#endif

static uint8_t g_bytes[4 * WORDS];
static uint32_t g_words[WORDS];
static volatile uint32_t g_seen;

static uint32_t Next(uint32_t* state) { return *state = *state * 1664525u + 1013904223u; }

uint32_t FillWords(void) {
  uint32_t state = SEED;
  for (int i = 0; i < WORDS; ++i) g_words[i] = Next(&state);
  return g_words[WORDS - 1];
}

uint32_t CopyBytes(void) {
  const uint8_t* from = (const uint8_t*)g_words;
  for (size_t i = 0; i < sizeof g_bytes; ++i) g_bytes[i] = from[i];
  return g_bytes[7];
}

uint32_t Crc32(void) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < sizeof g_bytes; ++i) {
    crc ^= g_bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
  }
  return ~crc;
}

uint32_t Multiply(void) {  // as a convolution's inner loop
  int32_t sum = 0;
  const int8_t* a = (const int8_t*)g_bytes;
  const int8_t* b = (const int8_t*)g_words;
  for (int i = 0; i < 4 * WORDS; ++i) sum += a[i] * b[4 * WORDS - 1 - i];
  return (uint32_t)sum;
}

uint32_t Requantize(void) {  // products of 64 bits: calls of the run-time library
  uint32_t sum = 0;
  for (int i = 0; i < WORDS; ++i) {
    const int64_t product = (int64_t)(int32_t)g_words[i] * 1518500250;
    sum += (uint32_t)((product + (1 << 30)) >> 31);
  }
  return sum;
}

uint32_t Divide(void) {
  uint32_t sum = 0;
  for (uint32_t i = 1; i < WORDS / 2; ++i) sum += g_words[i] / i + g_words[i] % (i + 7);
  return sum;
}

uint32_t Sort(void) {  // by insertion: branches that nobody foresees
  for (int i = 1; i < WORDS / 4; ++i) {
    const uint32_t value = g_words[i];
    int at = i;
    for (; at > 0 && g_words[at - 1] > value; --at) g_words[at] = g_words[at - 1];
    g_words[at] = value;
  }
  return g_words[20];
}

__attribute__((noinline)) static uint32_t Fibonacci(uint32_t n) {
  return n < 2 ? n : Fibonacci(n - 1) + Fibonacci(n - 2);
}

uint32_t Recurse(void) { return Fibonacci(DEPTH); }  // PUSH and POP

uint32_t Switch(void) {  // a table of branches
  uint32_t value = 1;
  for (int i = 0; i < 2 * WORDS; ++i) {
    switch (g_bytes[i] & 7) {
      case 0: value += 3; break;
      case 1: value ^= 0x55; break;
      case 2: value <<= 1; break;
      case 3: value = ~value; break;
      case 4: value -= 9; break;
      case 5: value |= 1; break;
      case 6: value *= 5; break;
      default: g_seen = value;
    }
  }
  return value;
}

uint32_t AddRows(void) {  // many values at once in registers: LDM and STM
  for (int i = 0; i + 8 <= WORDS; i += 4) {
    uint32_t *w = g_words + i, a, b, c, d;
    __asm__ volatile(
        "ldmia %0!, {%1, %2, %3, %4}\nadd %1, %2\nadd %3, %4\nsub %0, #16\nstmia %0!, {%1, %2, %3, %4}\n"
        : "+l"(w), "=l"(a), "=l"(b), "=l"(c), "=l"(d)
        :
        : "memory", "cc");
  }
  return g_words[9];
}

uint32_t (*const functions[10])(void) = {FillWords, CopyBytes, Crc32, Multiply, Requantize,
                                         Divide,    Sort,      Recurse, Switch, AddRows};

// Of microbit: where what they return goes.
uint32_t results[10];

// What firmware_cpp/boards/common/marks.h has for C++.
__asm__(
    ".section .text.board_marks, \"ax\", %progbits\n.balign 4\n.global board_marks\n"
    ".type board_marks, %function\n.thumb_func\nboard_marks:\n.rept 11\nbx lr\n.endr\n"
    ".size board_marks, . - board_marks\n.previous\n");
extern void board_marks(void);

static void Mark(uint32_t mark) { ((void (*)(void))((uintptr_t)&board_marks + 2 * mark))(); }

void Main(void) {
  for (uint32_t i = 0; i < 10; ++i) {
    Mark(i + 1);
    results[i] = functions[i]();
    Mark(0);
  }
  // ADP_Stopped_ApplicationExit: QEMU ends.
  __asm__ volatile("movs r0, #0x18\nldr r1, =0x20026\nbkpt #0xab\n.ltorg" ::: "r0", "r1");
  for (;;) {
  }
}

// In a memory that only microbit has: rp2040js calls the functions one by one.
extern uint8_t stack_top[];
__attribute__((section(".vectors"), used)) void* const vectors[2] = {stack_top, (void*)Main};
