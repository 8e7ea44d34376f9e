// What OpenCV offers for the same tasks, for `./run bench` to compare with. On one thread, without OpenCL.
//
// Every function that can fail returns a negative number or NULL and writes why into `message`.
#ifndef OPENCV_TRACKING_H
#define OPENCV_TRACKING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// 8-bit pixels, 1 channel (grey) or 3 (blue, green, red); never written to.
typedef struct peers_image {
    const uint8_t *pixels;
    int width, height, channels;
    size_t bytes_per_row;
} peers_image;

// In pixels.
typedef struct peers_box {
    double x, y, width, height;
} peers_box;

typedef struct peers_point {
    float x, y;
} peers_point;

typedef struct peers_message {
    char text[256];
} peers_message;

// Makes OpenCV use the calling thread and the processor only. Call it first.
void peers_use_one_thread(void);

// OpenCV's version: "4.6.0".
const char *peers_version(void);

// Trackers with their default parameters.

typedef enum peers_kind { PEERS_CSRT, PEERS_KCF, PEERS_MEDIAN_FLOW, PEERS_MOSSE } peers_kind;

typedef struct peers_tracker peers_tracker;

// Boxes of CSRT and KCF are rounded to whole pixels, which is what they take.
peers_tracker *peers_tracker_create(peers_kind kind, const peers_image *image, peers_box box, peers_message *message);
void peers_tracker_destroy(peers_tracker *tracker);
// 1 with the box where the target was found, 0 where the tracker says that it was not.
int peers_tracker_update(peers_tracker *tracker, const peers_image *image, peers_box *box, peers_message *message);

// cv::findTransformECC with MOTION_AFFINE, without blur, for exactly `iterations` iterations. `warp` maps pixels of the
// template to those of the image, row by row (a, b, tx, c, d, ty); it is the start and the result. 0 on success.
int peers_ecc(const peers_image *template_image, const peers_image *image, int iterations, float warp[6],
              peers_message *message);

// A pyramid as cv::calcOpticalFlowPyrLK takes it, with the derivatives.
typedef struct peers_pyramid peers_pyramid;

peers_pyramid *peers_pyramid_create(const peers_image *grey, int window, int levels, peers_message *message);
void peers_pyramid_destroy(peers_pyramid *pyramid);

// cv::calcOpticalFlowPyrLK with at most `iterations` iterations a level, which end at a step of `epsilon` pixels; a
// point's status is 0 where it was not found. 0 on success.
int peers_flow(const peers_pyramid *first, const peers_pyramid *second, const peers_point *from, int count, int window,
               int levels, int iterations, double epsilon, peers_point *to, uint8_t *status, peers_message *message);

// At most `count` corners that are good to follow (cv::goodFeaturesToTrack). Their number.
int peers_corners(const peers_image *grey, int count, double distance, peers_point *corners, peers_message *message);

#ifdef __cplusplus
}
#endif

#endif
