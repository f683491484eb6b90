// A firmware that takes new models over the link (UPDATE=1): which one starts, and the device's end of an
// upload.
#ifndef FIRMWARE_CPP_APP_UPDATE_H_
#define FIRMWARE_CPP_APP_UPDATE_H_

#include "app/inference.h"
#include "protocol/frame_reader.h"
#include "protocol/frame_writer.h"

namespace app {

// In place of Load(): takes the model of the slot that is to start, or else the linked one. One that starts
// for the first time has to answer its golden input; if it does not, the one before it starts.
Status LoadNewest();

// Answers a request of an upload; false: it is none. The image under way is lost.
bool HandleUpload(const squeeze::link::FrameReader& request, squeeze::link::FrameWriter* reply);

// Restarts the board where a new model waits for that: once the answer is on its way.
void RestartIfWanted();

}  // namespace app

#endif  // FIRMWARE_CPP_APP_UPDATE_H_
