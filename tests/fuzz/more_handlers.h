// What is attached to the link beside the fake application: a UART that can have rates, and in fuzz_handlers
// handlers of requests that only some firmware has. Each part is there where its sources are.
#ifndef TESTS_FUZZ_MORE_HANDLERS_H_
#define TESTS_FUZZ_MORE_HANDLERS_H_

#include "protocol/device_link.h"

#define FUZZ_INSPECT (FUZZ_HANDLERS && SQUEEZE_INSPECT)
#if FUZZ_INSPECT
#include "protocol/watched.h"
#endif
#if FUZZ_UPLOAD
#include "fuzz/upload_board.h"
#endif

namespace fuzz {

// A UART that can have any rate of whole hundreds.
inline uint32_t Speed(void* /*context*/, uint32_t baud, bool /*change*/) {
  return baud % 100 == 0 ? baud : 0;
}

// `of_watched_shape`: the images have the rows that watched.h knows.
inline squeeze::link::Application Wrapped(squeeze::link::Application application,
                                          [[maybe_unused]] bool of_watched_shape) {
  application.speed = Speed;
#if FUZZ_INSPECT
  if (of_watched_shape) application = watched::Wrap(application);
#endif
#if FUZZ_UPLOAD
  application.other = UploadBoard::Other;
#endif
  return application;
}

inline void Attach([[maybe_unused]] squeeze::link::DeviceLink* link, [[maybe_unused]] bool of_watched_shape) {
#if FUZZ_INSPECT
  if (of_watched_shape) watched::Attach(link);
#endif
#if FUZZ_UPLOAD
  UploadBoard::Restart();
#endif
}

}  // namespace fuzz

#endif  // TESTS_FUZZ_MORE_HANDLERS_H_
