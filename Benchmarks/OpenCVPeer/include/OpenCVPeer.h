#ifndef OPENCV_PEER_H
#define OPENCV_PEER_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Decodes a whole video to grey with OpenCV's VideoCapture, as it comes, and does nothing with it. Whether there was a
/// frame.
bool opencv_peer_decode(const char *path);

#ifdef __cplusplus
}
#endif

#endif
