/* AVERAGE_POOL_2D and MAX_POOL_2D of int16 or float32, [n, in_h, in_w, in_c] to [n, out_h, out_w, in_c].
 *
 * layer    literal settings, and the elements' type (elements.h)
 * input, output   elements; must not overlap
 *
 * A window is cut at the borders: what lies outside counts neither for the sum nor for the number. Nothing is allocated.
 */
#ifndef EC_POOL_2D_H_
#define EC_POOL_2D_H_

#include "elements.h"

typedef struct {
    int batches, in_h, in_w, in_c, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int is_average, type;
    int lowest, highest;
    float real_lowest, real_highest;
} ec_pool_2d_layer;

/* One channel of the window that begins at input element `from`, into output element `o`. */
EC_SPECIALIZED void ec_pool_2d_window(const ec_pool_2d_layer *layer, const void *input, int from, int height, int width,
                                      void *output, int o)
{
    int32_t result = layer->is_average ? 0 : -32768;
    float real = layer->is_average ? 0.0f : -3.4028234663852886e38f;
    int y, x;
    for (y = 0; y < height; ++y) {
        for (x = 0; x < width; ++x) {
            const int place = from + (y * layer->in_w + x) * layer->in_c;
            if (layer->type == EC_F32) {
                const float value = ((const float *)input)[place];
                real = layer->is_average ? real + value : value > real ? value : real;
            } else {
                const int32_t value = ((const int16_t *)input)[place];
                result = layer->is_average ? result + value : value > result ? value : result;
            }
        }
    }
    if (layer->type == EC_F32) {
        if (layer->is_average) real /= (float)(height * width);
        ((float *)output)[o] = ec_clamp_real(real, layer->real_lowest, layer->real_highest);
    } else {
        const int32_t count = height * width;
        if (layer->is_average) result = (result > 0 ? result + count / 2 : result - count / 2) / count;
        ((int16_t *)output)[o] = (int16_t)ec_clamp(result, layer->lowest, layer->highest);
    }
}

EC_SPECIALIZED void ec_pool_2d(const ec_pool_2d_layer *layer, const void *input, void *output)
{
    int n, oy, ox, c, o = 0;
    for (n = 0; n < layer->batches; ++n) {
        for (oy = 0; oy < layer->out_h; ++oy) {
            const int above = oy * layer->stride_h - layer->pad_top, top = above > 0 ? above : 0;
            const int below = above + layer->kernel_h, bottom = below < layer->in_h ? below : layer->in_h;
            for (ox = 0; ox < layer->out_w; ++ox) {
                const int before = ox * layer->stride_w - layer->pad_left, left = before > 0 ? before : 0;
                const int behind = before + layer->kernel_w, right = behind < layer->in_w ? behind : layer->in_w;
                const int corner = ((n * layer->in_h + top) * layer->in_w + left) * layer->in_c;
                for (c = 0; c < layer->in_c; ++c, ++o) {
                    ec_pool_2d_window(layer, input, corner + c, bottom - top, right - left, output, o);
                }
            }
        }
    }
}

#endif /* EC_POOL_2D_H_ */
