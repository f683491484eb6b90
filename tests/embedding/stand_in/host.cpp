// The stand-in on the host: the serial line is stdin and stdout.
#include <Arduino.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

SerialPort Serial;

int platform_read() {
  fflush(stdout);
  const int c = getchar();
  if (c == EOF) exit(0);
  return c;
}

void platform_write(char c) { putchar(c); }

unsigned long micros() { return static_cast<unsigned long>(clock()); }

int main() {
  setup();
  for (;;) loop();
}
