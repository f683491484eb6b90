// The transforms of winograd_words.h, for any CPU.
#include "engine/v6m/winograd_words.h"

namespace squeeze {

void WordsDown(const WordsDownRun* run, uint32_t offset, uint32_t* to) {
  const int8_t* const r0 = run->rows[0];
  const int8_t* const r1 = run->rows[1];
  const int8_t* const r2 = run->rows[2];
  const int8_t* const r3 = run->rows[3];
  const uint32_t pitch = run->pitch;
  uint32_t* const end = to + 4 * run->count;
  do {
    const int32_t d1 = r1[offset], d2 = r2[offset];
    to[0] = static_cast<uint32_t>(d1 + d2);
    to[1] = static_cast<uint32_t>(d2 - d1);
    to[2] = static_cast<uint32_t>(2 * (r3[offset] - d1));
    to[3] = static_cast<uint32_t>(2 * (r0[offset] - d2));
    offset += pitch;
    to += 4;
  } while (to != end);
}

void WordsAlong(const uint32_t* columns, uint32_t pitch, uint32_t* to) {
  uint8_t* at = reinterpret_cast<uint8_t*>(to);
  const auto put = [&at, pitch](uint32_t value) {
    *reinterpret_cast<uint32_t*>(at) = value;
    at += pitch;
  };
  for (const uint32_t* const end = columns + 4; columns != end; ++columns) {
    const uint32_t d2 = columns[8], d4 = columns[16];
    const uint32_t a = d4 - d2;
    put(4 * (columns[0] - d2) + a);
    const uint32_t d1 = columns[4], d3 = columns[12];
    const uint32_t e = d4 - 4 * d2, f = d3 - 4 * d1;
    put(e + f);
    put(e - f);
    const uint32_t b = 2 * (d3 - d1);
    put(a + b);
    put(a - b);
    put(columns[20] - d3 - 2 * b);
  }
}

namespace {

// Six words of one k; the next one is behind them.
uint32_t* Six(uint32_t g0, uint32_t g1, uint32_t g2, uint32_t pitch, uint32_t* to) {
  const auto put = [&to, pitch](uint32_t value) {
    *to = value;
    to += pitch;
  };
  put(g0);
  const uint32_t s = g0 + g2;
  put(s + g1);
  put(s - g1);
  const uint32_t t = g0 + 4 * g2, u = 2 * g1;
  put(t + u);
  put(t - u);
  put(g2);
  return to;
}

}  // namespace

void WordsWeights(const int8_t* weights, uint32_t channels, uint32_t* to) {
  const uint32_t pitch = WordsPaddedChannels(channels) / 2;
  for (uint32_t c = 0; c < channels; c += 2, weights += 2, ++to) {
    const bool two = c + 1 < channels;
    uint32_t g[9];
    const int8_t* at = weights;
    for (uint32_t& tap : g) {
      tap = static_cast<uint32_t>(int32_t{at[0]});
      if (two) tap += static_cast<uint32_t>(int32_t{at[1]}) << 16;
      at += channels;
    }
    const uint32_t s0 = g[0] + g[6], s1 = g[1] + g[7], s2 = g[2] + g[8];
    uint32_t* put = Six(s0 + g[3], s1 + g[4], s2 + g[5], pitch, to);
    put = Six(s0 - g[3], s1 - g[4], s2 - g[5], pitch, put);
    put = Six(g[6], g[7], g[8], pitch, put);
    Six(g[0], g[1], g[2], pitch, put);
  }
}

void WordsOutputs(const uint32_t* products, int32_t bias, PairsSums* sums) {
  constexpr uint32_t kInverseOf3 = 0xAAAAAAAB;  // modulo 2^32
  for (uint32_t tile = 0; tile < kWordsGroup; ++tile, ++products, sums += kWordsColumns) {
    uint32_t m[6], n[6];  // of both rows
    for (uint32_t i = 0; i < 6; ++i) {
      const uint32_t* const from = products + kWordsGroup * i;
      const uint32_t m0 = from[0], m1 = from[kWordsGroup * 6];
      m[i] = m0 + m1 + from[kWordsGroup * 18];
      n[i] = m0 - m1 + from[kWordsGroup * 12];
    }
    const auto along = [bias, sums](const uint32_t v[6], int32_t PairsSums::*row) {
      const uint32_t p = v[1] + v[2], q = v[1] - v[2], r = v[3] + v[4], t = v[3] - v[4];
      const auto put = [bias, sums, row](uint32_t x, uint32_t value, uint32_t shift) {
        const int32_t times = static_cast<int32_t>(value * kInverseOf3) >> shift;
        sums[x].*row = static_cast<int32_t>(static_cast<uint32_t>(times) + static_cast<uint32_t>(bias));
      };
      put(0, 6 * v[0] - 4 * p + r, 4);
      put(1, t - 2 * q, 3);
      put(2, r - p, 2);
      put(3, 2 * t - q + 6 * v[5], 2);
    };
    along(m, &PairsSums::low);
    along(n, &PairsSums::high);
  }
}

}  // namespace squeeze
