// As much of Monocypher's header as our code uses, for clang-tidy: set-up fetches the real one.
#ifndef TOOLS_LINT_STAND_IN_MONOCYPHER_H_
#define TOOLS_LINT_STAND_IN_MONOCYPHER_H_

#include <stddef.h>
#include <stdint.h>

extern "C" int crypto_eddsa_check(const uint8_t signature[64], const uint8_t public_key[32],
                                  const uint8_t* message, size_t message_size);

#endif  // TOOLS_LINT_STAND_IN_MONOCYPHER_H_
