#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#pragma clang diagnostic pop

#include <dlfcn.h>

#include <climits>
#include <cstdio>
#include <memory>

using namespace cvbridge;

namespace {

/// OpenCV's image files, from a library that is loaded when it is first used: it brings a hundred others (of GDAL and
/// of its databases), whose loading takes longer than a short video. Nothing of it is used for video.
class ImageFiles {
  public:
    using Decode = decltype(static_cast<cv::Mat (*)(cv::InputArray, int)>(cv::imdecode));
    using Encode = decltype(&cv::imencode);

    Decode decode;
    Encode encode;

    /// Throws where the library is not installed.
    static const ImageFiles &shared() {
        static const ImageFiles loaded;
        return loaded;
    }

  private:
    ImageFiles() {
        // Of the headers' release: OpenCV numbers its binary interface by major and, with two digits, minor version.
        char name[64];
        snprintf(name, sizeof name, "libopencv_imgcodecs.so.%d%02d", CV_VERSION_MAJOR, CV_VERSION_MINOR);
        library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
        if (library == nullptr) throw Failure(CVB_INTERNAL, dlerror());
        // The names of the two declarations above (Itanium C++ ABI, 5.1).
        decode = reinterpret_cast<Decode>(symbol("_ZN2cv8imdecodeERKNS_11_InputArrayEi"));
        encode = reinterpret_cast<Encode>(
            symbol("_ZN2cv8imencodeERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEERKNS_11_InputArrayE"
                   "RSt6vectorIhSaIhEERKSB_IiSaIiEE"));
    }

    void *symbol(const char *symbol_name) const {
        void *address = dlsym(library, symbol_name);
        if (address == nullptr) throw Failure(CVB_INTERNAL, dlerror());
        return address;
    }

    void *library;
};

}  // namespace

cvb_status cvb_load_image_files(cvb_error error) {
    return guarded(error, [&] {
        ImageFiles::shared();
        return CVB_OK;
    });
}

cvb_status cvb_prepare(cvb_error error) {
    return guarded(error, [] { return CVB_OK; });
}

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
        picture->pixels = ImageFiles::shared().decode(encoded, cv::IMREAD_ANYCOLOR);
        if (picture->pixels.empty()) throw Failure(CVB_UNDECODABLE, "damaged, or of a kind that is not understood");
        if (picture->pixels.depth() != CV_8U || (picture->pixels.channels() != 1 && picture->pixels.channels() != 3)) {
            throw Failure(CVB_UNDECODABLE, "neither grey nor colour with 8 bits a channel");
        }
        return CVB_OK;
    });
}

int32_t cvb_picture_width(const cvb_picture *picture) { return picture->pixels.cols; }

int32_t cvb_picture_height(const cvb_picture *picture) { return picture->pixels.rows; }

bool cvb_picture_is_color(const cvb_picture *picture) { return has_color(picture->pixels); }

cvb_status cvb_picture_write(const cvb_picture *picture, cvb_view gray, cvb_view color, cvb_error error) {
    return guarded(error, [&] {
        const cv::Mat &pixels = picture->pixels;
        cv::Mat gray_target = target_matrix(gray, pixels.size(), 1);
        if (pixels.channels() == 1) {
            pixels.copyTo(gray_target);
        } else {
            cv::cvtColor(pixels, gray_target, cv::COLOR_BGR2GRAY);
        }
        if (color.pixels == nullptr) return CVB_OK;
        cv::Mat color_target = target_matrix(color, pixels.size(), 3);
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
        if (!ImageFiles::shared().encode(extension, matrix(image), encoded->bytes, parameters)) {
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
