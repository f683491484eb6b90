// The camera of this browser: frames at the network's size, made as `classify` makes them of a picture.

class Camera {
  // video: an element that shows it; input, fit: of the network, see picture.js.
  constructor(video, input, fit) {
    Object.assign(this, { video, input, fit });
    this.stream = null;
  }

  get running() {
    return this.stream !== null && this.video.videoWidth > 0;
  }

  async start() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error(
        "this browser gives the camera only to pages of localhost or https://; open the page by 127.0.0.1 (ssh -L brings it there)"
      );
    }
    this.stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: 640, height: 480 },
    });
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    await this.video.play();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.video.hidden = true;
  }

  // Bytes, height x width x channels.
  frame(invert) {
    const { video } = this;
    const pixels = Picture.fitted(Picture.draw(video, video.videoWidth, video.videoHeight), this.input, this.fit);
    return invert ? Picture.inverted(pixels) : pixels;
  }
}
