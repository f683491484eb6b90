// Runs an operation of a flash's driver on simulated registers, and prints what it did to them:
//   main erase|program|read OFFSET BYTES FAILS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <string>
#include <vector>

#include "chip.h"
#include "update_flash.h"

namespace {

int g_looks;  // for which it is still busy
bool g_fails;
std::string g_last;

void Line(const std::string& line) {
  if (line == g_last && line.compare(0, 4, "read") == 0) return;
  g_last = line;
  puts(line.c_str());
}

// A load of the model's bytes, of which there are many.
bool IsFlash(uint32_t address) { return address >= 0x08000000 && address < 0x08200000; }

}  // namespace

namespace chip {

void Record(const char* what, uint32_t address, uint32_t value) {
  char line[64];
  if (strcmp(what, "read") == 0) {
    snprintf(line, sizeof(line), "read %08X", address);
  } else {
    snprintf(line, sizeof(line), "%s %08X %08X", what, address, value);
  }
  Line(line);
}

void Start() { g_looks = 3; }
bool Busy() { return g_looks > 0; }
bool Look() { return g_looks > 0 ? --g_looks >= 0 : false; }
bool Fails() { return g_fails; }

}  // namespace chip

namespace hardware {

void Note(const char* what) {
  std::string words;
  for (const char* c = what; *c != 0; ++c) {
    if (*c == ':') break;
    if (*c == '\\' && c[1] == 'n') {
      words += ',';
      ++c;
    } else if (*c != '"') {
      words += *c;
    }
  }
  while (!words.empty() && words.back() == ' ') words.pop_back();
  Line(words);
}

uint32_t Read(uint32_t address) {
  if (!IsFlash(address)) chip::Record("read", address, 0);
  return chip::Read(address);
}

void Write(uint32_t address, uint32_t value) {
  chip::Record("write", address, value);
  chip::Write(address, value);
}

}  // namespace hardware

int main(int /*count*/, char** arguments) {
  const update::Flash& flash = board::UpdateFlash();
  const uint32_t offset = static_cast<uint32_t>(strtoul(arguments[2], nullptr, 0));
  const uint32_t bytes = static_cast<uint32_t>(strtoul(arguments[3], nullptr, 0));
  g_fails = atoi(arguments[4]) != 0;
  std::vector<uint8_t> data(bytes + 1);
  for (uint32_t i = 0; i < bytes; ++i) data[i + 1] = static_cast<uint8_t>(i);  // at an odd address
  const std::string what = arguments[1];
  bool done = false;
  if (what == "erase") done = flash.erase(flash.context, offset);
  if (what == "program") done = flash.program(flash.context, offset, data.data() + 1, bytes);
  if (what == "read") done = flash.read(flash.context, offset, data.data(), bytes);
  if (chip::Busy()) hardware::Unsafe("it is still busy");
  printf("%s\n", done ? "done" : "failed");
}
