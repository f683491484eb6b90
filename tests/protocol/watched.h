// The fake device as firmware that was built with INSPECT: three feature maps and two layers, of which the test
// knows every value and every tick. The same in Python: watched_maps() in watched_device.py.
#ifndef TESTS_PROTOCOL_WATCHED_H_
#define TESTS_PROTOCOL_WATCHED_H_

#include <cstdint>
#include <vector>

#include "protocol/device_link.h"
#include "protocol/inspect.h"

namespace watched {

using squeeze::link::Inspector;
using squeeze::link::MapShape;

inline constexpr MapShape kShapes[] = {{4, 3, 1}, {300, 7, 100}, {1, 1, 10}};
inline constexpr int kMaps = 3;
inline constexpr int kLayers = 2;

inline Inspector g_inspector;
inline squeeze::link::Application g_inner;
inline uint64_t g_ticks;
inline int g_rows;

// Reading it takes 5 ticks.
inline uint64_t Counter() { return g_ticks += 5; }

inline void Tell(int map, int row, const int8_t* data) {
  Inspector::OnRow(&g_inspector, map, row, data);
}

// All rows of the larger map belong to the last row of the image.
inline void MakeMap(int map, int seed) {
  const MapShape& shape = kShapes[map];
  std::vector<int8_t> row(static_cast<size_t>(shape.width) * shape.channels);
  for (int y = 0; y < shape.height; ++y) {
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = static_cast<int8_t>(seed + 31 * y + 7 * static_cast<int>(i) + static_cast<int>(i) / 256);
    }
    Tell(map, y, row.data());
  }
}

inline uint8_t Begin(void* context) {
  g_inspector.Begin();
  g_rows = 0;
  return g_inner.begin_image(context);
}

inline uint8_t Push(void* context, const int8_t* row) {
  g_inspector.Work(true);
  g_ticks += 1000;
  if (g_inspector.asked().what == squeeze::link::What::kTime) {
    for (int layer = 0; layer < kLayers; ++layer) {
      Inspector::OnStep(&g_inspector, layer, true);
      g_ticks += layer == 0 ? 20'000 : 3'000'000'000u;
      Inspector::OnStep(&g_inspector, layer, false);
      g_ticks += 7;
    }
  }
  Tell(0, g_rows, row);
  if (++g_rows == kShapes[0].height) {
    MakeMap(1, row[0]);
    MakeMap(2, row[1]);
  }
  g_inspector.Work(false);
  return g_inner.push_row(context, row);
}

inline squeeze::link::Application Wrap(const squeeze::link::Application& inner) {
  g_inner = inner;
  squeeze::link::Application outer = inner;
  outer.begin_image = Begin;
  outer.push_row = Push;
  return outer;
}

inline void Attach(squeeze::link::DeviceLink* link) {
  g_inspector.Init({kMaps, kLayers, [](int map) { return kShapes[map]; }, Counter});
  link->SetInspector(&g_inspector);
}

}  // namespace watched

#endif  // TESTS_PROTOCOL_WATCHED_H_
