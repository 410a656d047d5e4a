/* BATCH_MATMUL, int8, int16 or float32: output[batch][rows][columns] from two matrices of each batch.
 *
 * layer    literal settings and type (elements.h); for each batch where its two matrices begin, in elements
 * first, second, output   elements; the output must not overlap the inputs
 *
 * Element (r, k) of a first matrix is at r * first_row + k * first_depth, (k, c) of a second one at k * second_depth +
 * c * second_column. Nothing is allocated.
 */
#ifndef EC_BATCH_MATMUL_H_
#define EC_BATCH_MATMUL_H_

#include "elements.h"

typedef struct {
    const int32_t *first_offsets, *second_offsets;
    int batches, rows, columns, depth, type;
    int first_row, first_depth, second_depth, second_column;
    int first_zero_point, second_zero_point, output_zero_point;
    int32_t multiplier;
    int shift, rounding;
} ec_batch_matmul_layer;

/* The element whose factors begin at `x` and `y`, into output element `o`. */
EC_SPECIALIZED void ec_batch_matmul_element(const ec_batch_matmul_layer *layer, const void *first, int x,
                                            const void *second, int y, void *output, int o)
{
    int64_t sum = 0;
    float real = 0.0f;
    int k;
    for (k = 0; k < layer->depth; ++k, x += layer->first_depth, y += layer->second_depth) {
        if (layer->type == EC_F32) {
            real += ((const float *)first)[x] * ((const float *)second)[y];
        } else {
            sum += ((int32_t)ec_whole(first, layer->type, x) - layer->first_zero_point) *
                   ((int32_t)ec_whole(second, layer->type, y) - layer->second_zero_point);
        }
    }
    if (layer->type == EC_F32) {
        ((float *)output)[o] = real;
    } else if (layer->type == EC_S16) {
        ((int16_t *)output)[o] = (int16_t)ec_clamp(ec_scale_long(sum, layer->multiplier, layer->shift), -32768, 32767);
    } else {
        const int32_t scaled = ec_scale((int32_t)sum, layer->multiplier, layer->shift, layer->rounding);
        ((int8_t *)output)[o] = ec_narrow(ec_add(scaled, layer->output_zero_point), -128, 127);
    }
}

EC_SPECIALIZED void ec_batch_matmul(const ec_batch_matmul_layer *layer, const void *first, const void *second,
                                    void *output)
{
    int n, r, c, o = 0;
    for (n = 0; n < layer->batches; ++n) {
        for (r = 0; r < layer->rows; ++r) {
            for (c = 0; c < layer->columns; ++c, ++o) {
                ec_batch_matmul_element(layer, first, layer->first_offsets[n] + r * layer->first_row, second,
                                        layer->second_offsets[n] + c * layer->second_column, output, o);
            }
        }
    }
}

#endif /* EC_BATCH_MATMUL_H_ */
