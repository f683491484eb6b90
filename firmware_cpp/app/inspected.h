// What app/main.cc calls around the engine: it does nothing more in a firmware without INSPECT.
#ifndef FIRMWARE_CPP_APP_INSPECTED_H_
#define FIRMWARE_CPP_APP_INSPECTED_H_

#include <stdint.h>

#include "app/inference.h"
#include "protocol/device_link.h"

namespace inspected {

#if SQUEEZE_INSPECT

// After app::Load() and DeviceLink::Init.
void Init(squeeze::link::DeviceLink* link);

// An image begins: it is watched as the host has asked.
void BeginImage();

// app::PushRow, watched.
app::Status PushRow(const int8_t* row);

#else

inline void Init(squeeze::link::DeviceLink* /*link*/) {}
inline void BeginImage() {}
inline app::Status PushRow(const int8_t* row) { return app::PushRow(row); }

#endif

}  // namespace inspected

#endif  // FIRMWARE_CPP_APP_INSPECTED_H_
