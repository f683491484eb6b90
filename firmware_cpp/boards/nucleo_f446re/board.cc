// STM32F446RE on ST's Nucleo-64: 180 MHz, USART2 on PA2 and PA3, which the ST-Link's serial port is wired to.
#include "common/stm32f4.h"
