// Stands in for an Arduino core: what the sketch uses of it, and no more. See host.cpp and cortex_m.cpp.
#ifndef STAND_IN_ARDUINO_H_
#define STAND_IN_ARDUINO_H_

#include <stddef.h>
#include <stdint.h>

// The platform's: one byte of the serial line (its end ends the program), one to it.
int platform_read();
void platform_write(char c);
unsigned long micros();

void setup();
void loop();

inline void delay(unsigned long /*ms*/) {}

class SerialPort {
 public:
  void begin(unsigned long /*baud*/) {}
  void setTimeout(unsigned long /*ms*/) {}
  size_t readBytes(char* to, size_t size) {
    for (size_t i = 0; i < size; ++i) to[i] = static_cast<char>(platform_read());
    return size;
  }
  void print(char c) { platform_write(c); }
  void print(const char* text) {
    while (*text != '\0') platform_write(*text++);
  }
  void print(unsigned long value) {
    if (value >= 10) print(value / 10);
    platform_write(static_cast<char>('0' + value % 10));
  }
  void print(int value) {
    if (value < 0) platform_write('-');
    print(static_cast<unsigned long>(value < 0 ? -value : value));
  }
  template <typename T>
  void println(T value) {
    print(value);
    print("\r\n");
  }
};

extern SerialPort Serial;

#endif  // STAND_IN_ARDUINO_H_
