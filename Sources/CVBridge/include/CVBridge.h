#ifndef CVBRIDGE_H
#define CVBRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// OpenCV and FFmpeg's libraries behind C: opaque handles, status codes, and error text in a buffer of the caller's. No
/// exception leaves, nothing is printed, and OpenCV starts no threads of its own. A handle is used by one thread at a
/// time; different handles may be used at once.

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    CVB_OK = 0,
    /// No further frame.
    CVB_END = 1,
    CVB_UNDECODABLE = 2,
    CVB_LIMIT = 3,
    CVB_CANNOT_WRITE = 4,
    CVB_NO_MEMORY = 5,
    CVB_INTERNAL = 6,
} cvb_status;

/// Where a function that fails says why, as text that ends in NUL. `text` may be NULL.
typedef struct {
    char *text;
    size_t capacity;
} cvb_error;

/// 8-bit pixels of somebody else: 1 channel (grey) or 3 (blue, green, red), rows from the top down.
typedef struct {
    uint8_t *pixels;
    int32_t width;
    int32_t height;
    int32_t channels;
    size_t bytes_per_row;
} cvb_view;

// --- Pictures: what was decoded last

typedef struct cvb_picture cvb_picture;

cvb_status cvb_picture_create(cvb_picture **picture, cvb_error error);
void cvb_picture_destroy(cvb_picture *picture);

/// Loads what cvb_picture_decode(), cvb_encode_png() and cvb_encode_jpeg() need, which they otherwise do when they are
/// first called: OpenCV's imgcodecs, with the libraries that it needs. CVB_INTERNAL where it is not installed.
cvb_status cvb_load_image_files(cvb_error error);

/// Sets FFmpeg and OpenCV up, with what OpenCV loads for that; otherwise the first call of any other function does.
cvb_status cvb_prepare(cvb_error error);

/// Decodes PNG, JPEG, BMP, WebP or TIFF, 8 bits a channel, turned as EXIF says. A picture of more pixels than the
/// environment's OPENCV_IO_MAX_IMAGE_PIXELS (read by OpenCV when the process starts) is CVB_LIMIT.
cvb_status cvb_picture_decode(cvb_picture *picture, const uint8_t *bytes, size_t count, cvb_error error);

int32_t cvb_picture_width(const cvb_picture *picture);
int32_t cvb_picture_height(const cvb_picture *picture);

/// Whether a pixel's channels differ.
bool cvb_picture_is_color(const cvb_picture *picture);

/// Writes the picture as grey (ITU-R BT.601 luma of its colours) and, where `color.pixels` is not NULL, as BGR. Both
/// views must have the picture's size.
cvb_status cvb_picture_write(const cvb_picture *picture, cvb_view gray, cvb_view color, cvb_error error);

// --- Container index: what libavformat knows of a video without decoding it

typedef struct cvb_index cvb_index;

/// How a decoded frame becomes the displayed one: transposed first, then mirrored (ISO/IEC 14496-12, 8.3.2, matrix).
typedef struct {
    bool transpose;
    bool mirror_x;
    bool mirror_y;
} cvb_orientation;

typedef struct {
    /// As coded, before the orientation is applied.
    int32_t width;
    int32_t height;
    cvb_orientation orientation;
    /// Seconds a unit of the stamps.
    int64_t time_base_numerator;
    int64_t time_base_denominator;
    /// Average frames a second; 0/0 where unknown.
    int64_t rate_numerator;
    int64_t rate_denominator;
    /// FFmpeg's name of the codec; lives as long as the program.
    const char *codec;
    /// Presentation stamps of the frames that are shown, in rising order; owned by the index.
    const int64_t *stamps;
    size_t count;
    /// Whether the container has presentation stamps. AVI does not: its packets are numbered in the order of decoding,
    /// so with B-frames only the whole sorted list is right, and no single packet's number is.
    bool has_presentation_stamps;
    /// The first frame (by presentation order) that is coded in another size; -1 where there is none.
    int64_t resized_frame;
    /// Whether the file ends, or cannot be read further, before what its container declares.
    bool truncated;
    /// How many frames the container declares; 0 where it does not.
    int64_t declared_frames;
} cvb_index_info;

/// Reads through the first video stream of a file that is open. `demuxer` is FFmpeg's name of the only container format
/// that is tried; no other file is opened. More than `max_frames` frames or more than `max_pixels` in one are
/// CVB_LIMIT. `progress` is called now and then.
cvb_status cvb_index_open(int32_t descriptor, const char *demuxer, size_t max_frames, int64_t max_pixels,
                          void (*progress)(void *context), void *context, cvb_index **index, cvb_error error);
cvb_index_info cvb_index_get(const cvb_index *index);
void cvb_index_close(cvb_index *index);

// --- Video decoding

typedef struct cvb_video cvb_video;

/// Opens the first video stream of a file that is open, with one demuxer; the descriptor must stay open as long. No
/// picture of more than `max_pixels` is decoded, but for a margin. `orientation` is how its frames are turned. A codec
/// that can share its work between threads has a few.
cvb_status cvb_video_open(int32_t descriptor, const char *demuxer, int64_t max_pixels, cvb_orientation orientation,
                          cvb_video **video, cvb_error error);
/// Decodes the next frame that can be decoded; CVB_END where there is none.
cvb_status cvb_video_grab(cvb_video *video, cvb_error error);
/// The grabbed frame's presentation stamp; `false` where the container has none for it.
bool cvb_video_stamp(const cvb_video *video, int64_t *stamp);
/// The grabbed frame's size as displayed.
int32_t cvb_video_width(const cvb_video *video);
int32_t cvb_video_height(const cvb_video *video);
/// Whether any pixel of the grabbed frame is not grey.
cvb_status cvb_video_is_color(cvb_video *video, bool *is_color, cvb_error error);
/// Writes the grabbed frame as displayed: as grey, the video's own luma expanded to 0-255 (of RGB video: ITU-R BT.601
/// luma), and, where `color.pixels` is not NULL, as BGR. Both views must have the frame's size and CVB_OVERRUN bytes
/// after their last row that may be overwritten.
cvb_status cvb_video_write(cvb_video *video, cvb_view gray, cvb_view color, cvb_error error);
void cvb_video_close(cvb_video *video);

#define CVB_OVERRUN 64

// --- Encoding and drawing

typedef struct cvb_bytes cvb_bytes;

const uint8_t *cvb_bytes_data(const cvb_bytes *bytes);
size_t cvb_bytes_count(const cvb_bytes *bytes);
void cvb_bytes_destroy(cvb_bytes *bytes);

cvb_status cvb_encode_png(cvb_view image, cvb_bytes **bytes, cvb_error error);
/// `quality` is 1 to 100.
cvb_status cvb_encode_jpeg(cvb_view image, int32_t quality, cvb_bytes **bytes, cvb_error error);

/// Resizes `source` into `target` (same channels): area averaging when it shrinks, linear interpolation when it grows.
cvb_status cvb_resize(cvb_view source, cvb_view target, cvb_error error);

/// Fills `target` (same channels) with what `source` has where `map` puts each of its pixels: target pixel (u, v) is
/// source position (map[0] u + map[1] v + map[2], map[3] u + map[4] v + map[5]), pixel centres having integer
/// coordinates. Linear interpolation; black outside of the source.
cvb_status cvb_warp_affine(cvb_view source, cvb_view target, const double map[6], cvb_error error);

typedef struct {
    uint8_t blue;
    uint8_t green;
    uint8_t red;
} cvb_color;

typedef struct {
    double x;
    double y;
} cvb_point;

/// Draws an anti-aliased line through points, which may lie outside the image; one that is not finite ends the drawing.
cvb_status cvb_draw_line(cvb_view image, const cvb_point *points, size_t count, bool closed, bool dashed,
                         cvb_color color, double thickness, cvb_error error);
/// Writes ASCII text on a filled background whose lower left corner is `origin`, moved inside the image.
cvb_status cvb_draw_label(cvb_view image, const char *text, cvb_point origin, cvb_color background, double scale,
                          cvb_error error);

typedef struct cvb_writer cvb_writer;

/// A video file of BGR frames; `path` ends in .mp4 (H.264, or MPEG-4 where there is no H.264 encoder) or .avi (Motion
/// JPEG). An odd width or height is padded by one column or row, repeating the last.
cvb_status cvb_writer_open(const char *path, double frame_rate, int32_t width, int32_t height, cvb_writer **writer,
                           cvb_error error);
cvb_status cvb_writer_append(cvb_writer *writer, cvb_view image, cvb_error error);
void cvb_writer_close(cvb_writer *writer);

/// Copies the video stream of a file that a writer made to another file, whose index comes first where it is MP4. Frame
/// `i` in order of presentation is shown at `times[i]` seconds, which rise. CVB_CANNOT_WRITE where the file does not
/// hold `count` frames.
cvb_status cvb_remux(const char *source, const char *target, const char *muxer, const double *times, size_t count,
                     cvb_error error);

#ifdef __cplusplus
}
#endif

#endif
