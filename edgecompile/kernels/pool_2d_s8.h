/* AVERAGE_POOL_2D and MAX_POOL_2D, int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, in_c].
 *
 * layer    literal settings, so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may overlap the input where each pixel is written behind the windows of it and of later pixels
 *
 * A window is cut at the borders: what lies outside counts neither for the sum nor for the number.
 * Nothing is allocated.
 */
#ifndef EC_POOL_2D_S8_H_
#define EC_POOL_2D_S8_H_

#include "rounding.h"

typedef struct {
    int batches, in_h, in_w, in_c, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int is_average;
    int lowest, highest;
} ec_pool_2d_s8_layer;

/* The mean to the nearest whole number, halves away from zero; or the largest value. */
EC_SPECIALIZED int32_t ec_pool_2d_s8_window(const int8_t *from, int height, int width, int row_bytes, int channels,
                                            int is_average)
{
    int32_t result = is_average ? 0 : -128;
    int y, x;
    for (y = 0; y < height; ++y, from += row_bytes - width * channels) {
        for (x = 0; x < width; ++x, from += channels) {
            if (is_average) {
                result += *from;
            } else if (*from > result) {
                result = *from;
            }
        }
    }
    if (is_average) {
        const int32_t count = height * width;
        result = (result > 0 ? result + count / 2 : result - count / 2) / count;
    }
    return result;
}

#if defined(__ARM_FEATURE_MVE) && defined(__thumb__) && defined(__GNUC__)
#include "pool_2d_mve.h"
#endif

EC_SPECIALIZED void ec_pool_2d_s8(const ec_pool_2d_s8_layer *layer, const int8_t *input, int8_t *output)
{
    const int row_bytes = layer->in_w * layer->in_c;
    int n, oy, ox, c;
    for (n = 0; n < layer->batches; ++n, input += layer->in_h * row_bytes) {
        for (oy = 0; oy < layer->out_h; ++oy) {
            const int above = oy * layer->stride_h - layer->pad_top, top = above > 0 ? above : 0;
            const int below = above + layer->kernel_h, bottom = below < layer->in_h ? below : layer->in_h;
            for (ox = 0; ox < layer->out_w; ++ox) {
                const int before = ox * layer->stride_w - layer->pad_left, left = before > 0 ? before : 0;
                const int behind = before + layer->kernel_w, right = behind < layer->in_w ? behind : layer->in_w;
                const int8_t *const corner = input + top * row_bytes + left * layer->in_c;
#ifdef EC_POOL_2D_MVE_H_
                if (layer->is_average && layer->kernel_h * layer->kernel_w <= EC_POOL_2D_MVE_MOST) {
                    ec_pool_2d_mve_mean(corner, bottom - top, right - left, row_bytes, layer->in_c, layer->lowest,
                                        layer->highest, output);
                    output += layer->in_c;
                    continue;
                }
#endif
                for (c = 0; c < layer->in_c; ++c) {
                    const int32_t value = ec_pool_2d_s8_window(corner + c, bottom - top, right - left, row_bytes,
                                                               layer->in_c, layer->is_average);
                    *output++ = ec_narrow(value, layer->lowest, layer->highest);
                }
            }
        }
    }
}

#endif /* EC_POOL_2D_S8_H_ */
