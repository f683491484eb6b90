/* Stands in for a camera: hands the lines of a file to camera_lines.c, one at a time, as a driver would.
 *
 *   camera_file FILE    raw pixels, CAMERA_HEIGHT lines of CAMERA_LINE_BYTES */
#include <stdio.h>

#include "camera_lines.h"
#include "engine/squeeze.h"
#include "model_io.h"

int main(int argc, char** argv) {
  static uint8_t line[CAMERA_LINE_BYTES]; /* a camera's DMA buffer */
  FILE* file = argc > 1 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL) {
    fprintf(stderr, "camera_file: want a file of %d lines of %d bytes\n", CAMERA_HEIGHT, CAMERA_LINE_BYTES);
    return 1;
  }
  squeeze_status status = camera_init();
  camera_on_frame();
  while (status == SQUEEZE_OK && fread(line, 1, sizeof(line), file) == sizeof(line))
    status = camera_on_line(line);
  fclose(file);
  const int top = camera_top_class();
  if (status != SQUEEZE_OK || top < 0) {
    fprintf(stderr, "camera_file: %s\n",
            status != SQUEEZE_OK ? squeeze_status_text(status) : "too few lines");
    return 1;
  }
  printf("%d %s\n", top, model_label(top));
  return 0;
}
