/* RESIZE_BILINEAR, int8, int16 or float32[n, in_h, in_w, c] to [n, out_h, out_w, c].
 *
 * layer    literal sizes and type (elements.h); for each output row and column the offsets in elements of the two input
 *          rows and columns it lies between, and how far beyond the first, in 1/1024 (whole numbers) or as it is (real)
 * input, output   elements; must not overlap
 *
 * Nothing is allocated.
 */
#ifndef EC_RESIZE_BILINEAR_H_
#define EC_RESIZE_BILINEAR_H_

#include "elements.h"

typedef struct {
    const int32_t *row_low, *row_high, *column_low, *column_high;
    const int32_t *row_part, *column_part;
    const float *row_real, *column_real;
    int batches, image, out_h, out_w, channels, type, rounding;
} ec_resize_bilinear_layer;

EC_SPECIALIZED void ec_resize_bilinear_pixel(const ec_resize_bilinear_layer *layer, const void *input, int image, int y,
                                             int x, void *output, int o)
{
    const int top = image + layer->row_low[y], bottom = image + layer->row_high[y];
    const int left = layer->column_low[x], right = layer->column_high[x];
    int c;
    for (c = 0; c < layer->channels; ++c) {
        if (layer->type == EC_F32) {
            const float *const from = (const float *)input + c;
            const float v = layer->row_real[y], h = layer->column_real[x];
            ((float *)output)[o + c] = from[top + left] * (1.0f - v) * (1.0f - h) + from[bottom + left] * v * (1.0f - h) +
                                       from[top + right] * (1.0f - v) * h + from[bottom + right] * v * h;
        } else {
            const int64_t v = layer->row_part[y], h = layer->column_part[x];
            int64_t sum = ec_whole(input, layer->type, top + left + c) * (1024 - v) * (1024 - h);
            sum += ec_whole(input, layer->type, bottom + left + c) * v * (1024 - h);
            sum += ec_whole(input, layer->type, top + right + c) * (1024 - v) * h;
            sum += ec_whole(input, layer->type, bottom + right + c) * v * h;
            if (layer->rounding == EC_ROUND_ONCE) {
                sum = (sum + (1 << 19)) >> 20;
            } else {
                sum = (sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20);
            }
            ec_put_whole(output, layer->type, o + c, sum);
        }
    }
}

EC_SPECIALIZED void ec_resize_bilinear(const ec_resize_bilinear_layer *layer, const void *input, void *output)
{
    int n, y, x, o = 0;
    for (n = 0; n < layer->batches; ++n) {
        for (y = 0; y < layer->out_h; ++y) {
            for (x = 0; x < layer->out_w; ++x, o += layer->channels) {
                ec_resize_bilinear_pixel(layer, input, n * layer->image, y, x, output, o);
            }
        }
    }
}

#endif /* EC_RESIZE_BILINEAR_H_ */
