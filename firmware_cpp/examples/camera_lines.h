/* A camera's lines straight into the engine: no frame buffer. The static memory of this file is the engine's
 * arena and the sums of one line. */
#ifndef CAMERA_LINES_H_
#define CAMERA_LINES_H_

#include <stdint.h>

#include "engine/squeeze.h"
#include "model_settings.h"

/* The camera has CAMERA_SCALE times the model's width and height: 1 to 16. */
#ifndef CAMERA_SCALE
#define CAMERA_SCALE 2
#endif

#define CAMERA_WIDTH (MODEL_INPUT_WIDTH * CAMERA_SCALE)
#define CAMERA_HEIGHT (MODEL_INPUT_HEIGHT * CAMERA_SCALE)
#define CAMERA_LINE_BYTES (CAMERA_WIDTH * MODEL_INPUT_CHANNELS)

/* Once: binds the engine to the model. */
squeeze_status camera_init(void);

/* At each frame's start (VSYNC). */
void camera_on_frame(void);

/* At each line's end (HSYNC, or a line's DMA): CAMERA_LINE_BYTES pixels, RGB or gray. Every CAMERA_SCALE-th
 * call runs the network as far as the new row allows; let the camera's clock leave time for it, or call this
 * from the main loop with one of two DMA buffers. Lines after the last one change nothing.
 */
squeeze_status camera_on_line(const uint8_t* line);

/* The class once the last line is in; -1 before. */
int camera_top_class(void);

#endif /* CAMERA_LINES_H_ */
