// The second core of a board that has two, as the engine's worker (engine/engine.h): it runs what it is given
// and nothing else, with interrupts off, on a stack of its own. In firmware for both cores (SQUEEZE_CORES=2).
#ifndef FIRMWARE_CPP_BOARDS_SECOND_CORE_H_
#define FIRMWARE_CPP_BOARDS_SECOND_CORE_H_

namespace second_core {

// Once, before all else. False: the core does not answer, and must not be given anything.
bool Launch();

// The second core calls run(half). `context` is not used. Each Start() has its Wait(), which returns when
// that call has. Both are memory barriers: each core sees there what the other one wrote before.
void Start(void* context, void (*run)(void* half), void* half);
void Wait(void* context);

}  // namespace second_core

#endif  // FIRMWARE_CPP_BOARDS_SECOND_CORE_H_
