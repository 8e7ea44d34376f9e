#include "support.hpp"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-anon-enum-enum-conversion"
#include <opencv2/imgproc.hpp>
#pragma clang diagnostic pop

using namespace cvbridge;

cvb_status cvb_warp_affine(cvb_view source, cvb_view target, const double map[6], cvb_error error) {
    return guarded(error, [&] {
        cv::Mat input = matrix(source);
        cv::Mat output = target_matrix(target, cv::Size(target.width, target.height), input.channels());
        cv::Matx23d inverse(map);
        cv::warpAffine(input, output, inverse, output.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                       cv::BORDER_CONSTANT);
        return CVB_OK;
    });
}
