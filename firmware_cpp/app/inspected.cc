#include "app/inspected.h"

#include "board.h"
#include "protocol/inspect.h"

namespace inspected {
namespace {

using squeeze::link::Inspector;
using squeeze::link::MapShape;
using squeeze::link::What;

Inspector g_inspector;

MapShape ShapeOf(int map) {
  const app::MapShape shape = app::MapShapeOf(map);
  return {shape.height, shape.width, shape.channels};
}

}  // namespace

void Init(squeeze::link::DeviceLink* link) {
  const auto maps = static_cast<uint16_t>(app::MapCount());
  const auto layers = static_cast<uint16_t>(maps == 0 ? 0 : app::LayerCount());
  g_inspector.Init({maps, layers, ShapeOf, board::Counter});
  link->SetInspector(&g_inspector);
}

void BeginImage() {
  const What what = g_inspector.Begin().what;
  const bool rows = what == What::kMaps || what == What::kRows || what == What::kBytes;
  app::ObserveRows(rows ? Inspector::OnRow : nullptr, &g_inspector);
  app::Observe(what == What::kTime ? Inspector::OnStep : nullptr, &g_inspector);
}

app::Status PushRow(const int8_t* row) {
  g_inspector.Work(true);
  const app::Status status = app::PushRow(row);
  g_inspector.Work(false);
  return status;
}

}  // namespace inspected
