/* CONV_2D with weights as rows (dot.h), int8[n, in_h, in_w, in_c] to int8[n, out_h, out_w, out_c], out_c > 1.
 *
 * layer    literal settings (see the struct), so that the compiler makes the kernel for this layer
 * input    int8, layer->in_* as sizes
 * output   int8; may overlap the input where each block of four pixels is written over what has been read: blocks are
 *          made from the first to the last, or, if is_backward (of 1x1 in one long row), from the last to the first
 * scratch  int8[chunks][4][16] and, behind it, a row of int8[16 * chunks + 16]; must not overlap the others
 *
 * Also DEPTHWISE_CONV_2D of one input channel, which is the same. The bias has the input's zero point folded in, so
 * padding is the zero point. Nothing is allocated, nothing outside the output is written.
 */
#ifndef EC_CONV_2D_DOT_S8_H_
#define EC_CONV_2D_DOT_S8_H_

#include "dot.h"

typedef struct {
    const int8_t *weights;
    const int32_t *pairs; /* bias, multiplier and shift of two channels (dot.h) */
    /* Where the inputs of a window lie, from its corner; null where these are more than 255 bytes, or where a kernel
     * position has whole chunks. And the same where they are more.
     */
    const uint8_t *near;
    const uint16_t *far;
    int batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int is_backward;
    int chunks; /* ceil(kernel_h * kernel_w * in_c / 16) */
    int input_zero_point, output_zero_point, lowest, highest;
    int is_plain, rounding;
} ec_conv_2d_dot_s8_layer;

/* The inputs of one output pixel, from its corner in the input, as pixel i of a block. */
EC_SPECIALIZED void ec_conv_2d_dot_s8_pixel_portable(const ec_conv_2d_dot_s8_layer *layer, const int8_t *image, int row,
                                                     int column, int i, int8_t *block)
{
    int y, x, c, k = 0;
    for (y = 0; y < layer->kernel_h; ++y) {
        for (x = 0; x < layer->kernel_w; ++x) {
            const int r = row + y * layer->dilation_h, s = column + x * layer->dilation_w;
            const int inside = r >= 0 && r < layer->in_h && s >= 0 && s < layer->in_w;
            for (c = 0; c < layer->in_c; ++c, ++k) {
                block[ec_dot_place(k, i)] =
                    inside ? image[(r * layer->in_w + s) * layer->in_c + c] : (int8_t)layer->input_zero_point;
            }
        }
    }
    for (; k < layer->chunks * EC_DOT_CHUNK; ++k) block[ec_dot_place(k, i)] = 0;
}

#ifdef EC_DOT_MVE_H_
#include "conv_2d_dot_mve.h"
#endif

/* Some output pixels on, which end in the same row or the next: the corner of the window in the input. */
EC_SPECIALIZED void ec_conv_2d_dot_s8_advance(const ec_conv_2d_dot_s8_layer *layer, int pixels, const int8_t **image,
                                              int *row, int *column, int *oy, int *ox)
{
    *column += pixels * layer->stride_w;
    *ox += pixels;
    if (*ox < layer->out_w) return;
    *ox = 0;
    *column = -layer->pad_left;
    *row += layer->stride_h;
    if (++*oy < layer->out_h) return;
    *oy = 0;
    *row = -layer->pad_top;
    *image += layer->in_h * layer->in_w * layer->in_c;
}

/* How many pixels a block has behind `done` others: four; what is left over as two that are each there twice, or one
 * four times. Backwards these come first.
 */
EC_SPECIALIZED int ec_conv_2d_dot_s8_count(const ec_conv_2d_dot_s8_layer *layer, int pixels, int done)
{
    const int left = layer->is_backward ? pixels % 4 - done : pixels - done;
    if (layer->is_backward) return left <= 0 ? 4 : left == 2 ? 2 : 1;
    return left < 4 ? 1 + left / 2 : 4;
}

EC_SPECIALIZED void ec_conv_2d_dot_s8(const ec_conv_2d_dot_s8_layer *layer, const int8_t *input, int8_t *output,
                                      void *scratch)
{
    const int pixels = layer->batches * layer->out_h * layer->out_w;
    const ec_dot_scaling scaling = {layer->pairs,
                                    layer->output_zero_point,
                                    layer->lowest,
                                    layer->highest,
                                    layer->is_plain,
                                    layer->lowest >= layer->output_zero_point,
                                    layer->rounding};
    const int row_bytes = layer->kernel_h * layer->kernel_w * layer->in_c;
    int8_t *const block = (int8_t *)scratch;
    const int8_t *image = input;
    int row = -layer->pad_top, column = -layer->pad_left, oy = 0, ox = 0;
    int done, count, i;
#ifdef EC_DOT_MVE_H_
    ec_dot_mve_work work;
    ec_dot_mve_begin(&work, layer->weights, row_bytes, block, &scaling);
    ec_dot_mve_places(&work, layer->out_c, 2 * layer->out_c);
#endif
    for (done = 0; done < pixels; done += count) {
        int pixel = done, step_1, step_2;
        count = ec_conv_2d_dot_s8_count(layer, pixels, done);
        step_1 = count == 4 ? 1 : 0;
        step_2 = count == 4 ? 2 : count - 1;
        if (layer->is_backward) {
            pixel = pixels - done - count;
            image = input;
            row = oy = 0;
            column = ox = pixel;
        }
#ifdef EC_DOT_MVE_H_
        if (count < 4 || (layer->is_backward && done == pixels % 4)) {
            ec_dot_mve_places(&work, step_1 * layer->out_c, step_2 * layer->out_c);
        }
        if (count == 4 && ec_conv_2d_dot_mve_together(layer, row, column, ox)) {
            ec_conv_2d_dot_mve_four(layer, image + (row * layer->in_w + column) * layer->in_c, block);
            ec_conv_2d_dot_s8_advance(layer, 4, &image, &row, &column, &oy, &ox);
        } else
#endif
        for (i = 0; i < EC_DOT_PIXELS; ++i) {
            const int step = i == 3 ? 1 : i == 1 ? step_2 - step_1 : step_1;
#ifdef EC_CONV_2D_DOT_MVE_H_
            ec_conv_2d_dot_s8_pixel_mve(layer, image, row, column, i, block);
#else
            ec_conv_2d_dot_s8_pixel_portable(layer, image, row, column, i, block);
#endif
            ec_conv_2d_dot_s8_advance(layer, step, &image, &row, &column, &oy, &ox);
        }
#ifdef EC_DOT_MVE_H_
        if (layer->is_plain) {
            ec_dot_times_four_mve(&work, layer->weights, row_bytes, layer->out_c, &scaling,
                                  output + pixel * layer->out_c, step_1 * layer->out_c, step_2 * layer->out_c);
            continue;
        }
#endif
        ec_dot_times_four_portable(layer->weights, row_bytes, block, layer->out_c, &scaling,
                                   output + pixel * layer->out_c, step_1 * layer->out_c, step_2 * layer->out_c);
    }
}

#endif /* EC_CONV_2D_DOT_S8_H_ */
