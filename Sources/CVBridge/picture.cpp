#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#pragma clang diagnostic pop

#include <climits>
#include <memory>

using namespace cvbridge;

cvb_status cvb_picture_create(cvb_picture **picture, cvb_error error) {
    return guarded(error, [&] {
        *picture = new cvb_picture;
        return CVB_OK;
    });
}

void cvb_picture_destroy(cvb_picture *picture) { delete picture; }

cvb_status cvb_picture_decode(cvb_picture *picture, const uint8_t *bytes, size_t count, cvb_error error) {
    return guarded(error, [&] {
        if (count > INT_MAX) throw Failure(CVB_LIMIT, "the file is larger than 2 GiB");
        cv::Mat encoded(1, static_cast<int>(count), CV_8UC1, const_cast<uint8_t *>(bytes));
        picture->pixels = cv::imdecode(encoded, cv::IMREAD_ANYCOLOR);
        if (picture->pixels.empty()) throw Failure(CVB_UNDECODABLE, "damaged, or of a kind that is not understood");
        if (picture->pixels.depth() != CV_8U || (picture->pixels.channels() != 1 && picture->pixels.channels() != 3)) {
            throw Failure(CVB_UNDECODABLE, "neither grey nor colour with 8 bits a channel");
        }
        return CVB_OK;
    });
}

int32_t cvb_picture_width(const cvb_picture *picture) { return picture->pixels.cols; }

int32_t cvb_picture_height(const cvb_picture *picture) { return picture->pixels.rows; }

bool cvb_picture_is_color(const cvb_picture *picture) {
    const cv::Mat &pixels = picture->pixels;
    if (pixels.channels() != 3) return false;
    for (int y = 0; y < pixels.rows; y++) {
        const uint8_t *row = pixels.ptr<uint8_t>(y);
        for (int x = 0; x < pixels.cols; x++) {
            if (row[3 * x] != row[3 * x + 1] || row[3 * x] != row[3 * x + 2]) return true;
        }
    }
    return false;
}

cvb_status cvb_picture_write(const cvb_picture *picture, cvb_view gray, cvb_view color, cvb_error error) {
    return guarded(error, [&] {
        const cv::Mat &pixels = picture->pixels;
        cv::Mat gray_target = matrix(gray);
        if (gray_target.size() != pixels.size() || gray_target.channels() != 1) {
            throw Failure(CVB_INTERNAL, "the grey view has another size than the picture");
        }
        if (pixels.channels() == 1) {
            pixels.copyTo(gray_target);
        } else {
            cv::cvtColor(pixels, gray_target, cv::COLOR_BGR2GRAY);
        }
        if (color.pixels == nullptr) return CVB_OK;
        cv::Mat color_target = matrix(color);
        if (color_target.size() != pixels.size() || color_target.channels() != 3) {
            throw Failure(CVB_INTERNAL, "the colour view has another size than the picture");
        }
        if (pixels.channels() == 1) {
            cv::cvtColor(pixels, color_target, cv::COLOR_GRAY2BGR);
        } else {
            pixels.copyTo(color_target);
        }
        return CVB_OK;
    });
}

const uint8_t *cvb_bytes_data(const cvb_bytes *bytes) { return bytes->bytes.data(); }

size_t cvb_bytes_count(const cvb_bytes *bytes) { return bytes->bytes.size(); }

void cvb_bytes_destroy(cvb_bytes *bytes) { delete bytes; }

static cvb_status encode(const char *extension, const cvb_view &image, const std::vector<int> &parameters,
                         cvb_bytes **bytes, cvb_error error) {
    return guarded(error, [&] {
        auto encoded = std::make_unique<cvb_bytes>();
        if (!cv::imencode(extension, matrix(image), encoded->bytes, parameters)) {
            throw Failure(CVB_CANNOT_WRITE, "the encoder failed");
        }
        *bytes = encoded.release();
        return CVB_OK;
    });
}

cvb_status cvb_encode_png(cvb_view image, cvb_bytes **bytes, cvb_error error) {
    return encode(".png", image, {}, bytes, error);
}

cvb_status cvb_encode_jpeg(cvb_view image, int32_t quality, cvb_bytes **bytes, cvb_error error) {
    return encode(".jpg", image, {cv::IMWRITE_JPEG_QUALITY, quality}, bytes, error);
}

cvb_status cvb_resize(cvb_view source, cvb_view target, cvb_error error) {
    return guarded(error, [&] {
        cv::Mat output = matrix(target);
        if (source.channels != target.channels) throw Failure(CVB_INTERNAL, "resizing cannot change the channels");
        bool shrinks = target.width <= source.width && target.height <= source.height;
        cv::resize(matrix(source), output, output.size(), 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
        return CVB_OK;
    });
}
