/* CONV_2D with weights in a shorter form (weight_forms.h), int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c].
 *
 * layer    literal settings (see the struct), so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may overlap the input where all blocks of a turn are written behind what is still to be read
 * scratch  uint32: a table of the values, a row of weights, then the inputs of `at_once` blocks of four output pixels,
 *          16 bytes a step; must not overlap the others; 4-byte aligned
 *
 * Each row of weights is unpacked once for `at_once` blocks. The bias has the input's zero point folded in, so padding
 * is the zero point. Nothing is allocated, nothing outside the output is written.
 */
#ifndef EC_CONV_2D_FORMS_S8_H_
#define EC_CONV_2D_FORMS_S8_H_

#include "weight_forms.h"

typedef struct {
    const uint8_t *weights;
    const uint8_t *map;      /* of the blocks' forms */
    const int8_t *values;    /* of the shared forms */
    const int32_t *lines;    /* lines.h; null where sums are scaled as in pairs.h, which reads the next two */
    const int32_t *channels; /* bias and multiplier of each */
    const int8_t *right_shift;
    const int8_t *border; /* in_c times the input's zero point */
    int form;
    int in_fours; /* inputs are in the order of pairs.h: 0, 2, 1, 3 of each four, faster to spread */
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int step_c;    /* inputs that a row has for each kernel position: in_c, or that and one for an even number */
    int steps;     /* pairs of inputs in a row */
    int row_words; /* of the longest row */
    int at_once;   /* blocks of four pixels, at most EC_CONV_2D_FORMS_MOST */
    int line_shift, base;
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_conv_2d_forms_s8_layer;

#define EC_CONV_2D_FORMS_MOST 8

/* Inputs k, k + 1, ... of one pixel, an odd number of them. */
EC_SPECIALIZED void ec_conv_2d_forms_s8_odd(const int8_t *from, int count, int k, int16_t *to)
{
    int c;
    to += (unsigned)k / 2 * 8;
    if (k % 2 == 0) {
        EC_UNROLLED
        for (c = 0; c < count; ++c) to[ec_rows_pixel(c)] = from[c];
    } else {
        EC_UNROLLED
        for (c = 0; c < count; ++c) to[ec_rows_pixel(c + 1)] = from[c];
    }
}

/* Inputs of output pixels `pixel`, + step_1, + step_2 and + step_1 + step_2. */
EC_SPECIALIZED void ec_conv_2d_forms_s8_gather(const ec_conv_2d_forms_s8_layer *layer, const int8_t *input, int pixel,
                                               int step_1, int step_2, int16_t *to)
{
    const int image_bytes = layer->in_h * layer->in_w * layer->in_c;
    const int8_t *image[4];
    int row[4], column[4], i, y, x, k = 0;
    for (i = 0; i < 4; ++i) {
        const int p = pixel + (i % 2) * step_1 + (i / 2) * step_2;
        const int inside = p % (layer->out_h * layer->out_w);
        image[i] = input + (p / (layer->out_h * layer->out_w)) * image_bytes;
        row[i] = (inside / layer->out_w) * layer->stride_h - layer->pad_top;
        column[i] = (inside % layer->out_w) * layer->stride_w - layer->pad_left;
    }
    if (layer->in_c % 2 != 0) {
        for (i = 0; i < layer->steps * 8; ++i) to[i] = 0;
    }
    for (y = 0; y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->kernel_w; ++x, k += layer->step_c) {
            const int8_t *tap[4];
            for (i = 0; i < 4; ++i) {
                const int down = row[i] + y * layer->dilation_h, right = column[i] + x * layer->dilation_w;
                const int is_inside = down >= 0 && down < layer->in_h && right >= 0 && right < layer->in_w;
                tap[i] = is_inside ? image[i] + (down * layer->in_w + right) * layer->in_c : layer->border;
                if (layer->in_c % 2 != 0) ec_conv_2d_forms_s8_odd(tap[i], layer->in_c, k, to + 2 * i);
            }
            if (layer->in_fours) {
                to = ec_pairs_spread(tap[0], tap[1], tap[2], tap[3], layer->in_c, to);
            } else if (layer->in_c % 2 == 0) {
                to = ec_rows_spread(tap[0], tap[1], tap[2], tap[3], layer->in_c, to);
            }
        }
    }
}

EC_SPECIALIZED void ec_conv_2d_forms_s8(const ec_conv_2d_forms_s8_layer *layer, const int8_t *input, int8_t *output,
                                        void *scratch)
{
    const ec_pairs_scaling scaling = {layer->channels, layer->right_shift, layer->output_zero_point, layer->lowest,
                                      layer->highest,  layer->is_plain,    layer->rounding,          layer->lines,
                                      layer->line_shift, layer->base};
    const int is_list = layer->form == EC_FORM_BLOCK || layer->form == EC_FORM_BLOCK_SHARED4;
    const int pixels = layer->batches * layer->out_h * layer->out_w, block = layer->steps * 8;
    uint32_t *const table = (uint32_t *)scratch, *const row = table + ec_weight_forms_table_words(layer->form);
    int16_t *const gathered = (int16_t *)(void *)(row + layer->row_words);
    int pixel = 0, channel;
    ec_weight_forms_table(layer->form, layer->values, table);
    while (pixel < pixels) {
        ec_rows_place places[EC_CONV_2D_FORMS_MOST];
        ec_weight_forms_place place = {layer->weights, layer->map};
        int count;
        for (count = 0; count < layer->at_once && pixel < pixels; ++count) {
            /* Four pixels; what is left over as two that are each there twice, or one four times. */
            const int left = pixels - pixel, step_1 = left < 4 ? 0 : 1, step_2 = left < 4 ? left / 2 : 2;
            ec_conv_2d_forms_s8_gather(layer, input, pixel, step_1, step_2, gathered + count * block);
            places[count].output = output + pixel * layer->out_c;
            places[count].step_1 = step_1 * layer->out_c;
            places[count].step_2 = step_2 * layer->out_c;
            pixel += left < 4 ? 1 + left / 2 : 4;
        }
        for (channel = 0; channel < layer->out_c; channel += 2) {
            const uint32_t *const end = ec_weight_forms_row(layer->form, &place, table, layer->steps, row);
            ec_rows_times_blocks(row, end, is_list, gathered, block, places, count, &scaling, channel, layer->out_c);
        }
    }
}

#endif /* EC_CONV_2D_FORMS_S8_H_ */
