// Adafruit Feather STM32F405 Express: 168 MHz, USART3 on its TX and RX pins. PA9, which stm32f405 sends on,
// is USB's VBUS here.
#include "common/stm32f4.h"
