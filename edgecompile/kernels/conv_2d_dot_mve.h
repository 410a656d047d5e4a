/* The inputs of an output pixel, gathered sixteen bytes at a time on cores with Helium: what conv_2d_dot_s8.h does.
 *
 * Nothing outside the input is read: loads of less than sixteen bytes are predicated. Nothing here allocates.
 */
#ifndef EC_CONV_2D_DOT_MVE_H_
#define EC_CONV_2D_DOT_MVE_H_

#define EC_CONV_2D_DOT_STRIDE (EC_DOT_PIXELS * EC_DOT_CHUNK)

/* `count` bytes to every fourth sixteen from `to` on, zeros behind them; gives the place behind. */
EC_SPECIALIZED int8_t *ec_conv_2d_dot_mve_spread(const int8_t *from, int count, int8_t *to)
{
    EC_UNROLLED
    for (; count >= EC_DOT_CHUNK; count -= EC_DOT_CHUNK, from += EC_DOT_CHUNK, to += EC_CONV_2D_DOT_STRIDE) {
        vstrbq_s8(to, vldrbq_s8(from));
    }
    if (count > 0) {
        vstrbq_s8(to, vldrbq_z_s8(from, vctp8q((uint32_t)count)));
        to += EC_CONV_2D_DOT_STRIDE;
    }
    return to;
}

/* `count` bytes, and zeros up to fifteen bytes behind them. */
EC_SPECIALIZED void ec_conv_2d_dot_mve_copy(const int8_t *from, int count, int8_t *to)
{
    for (; count > 0; count -= EC_DOT_CHUNK, from += EC_DOT_CHUNK, to += EC_DOT_CHUNK) {
        vstrbq_s8(to, vldrbq_z_s8(from, vctp8q((uint32_t)count)));
    }
}

/* The same value `count` times, and up to fifteen times more. */
EC_SPECIALIZED void ec_conv_2d_dot_mve_fill(int value, int count, int8_t *to)
{
    for (; count > 0; count -= EC_DOT_CHUNK, to += EC_DOT_CHUNK) vstrbq_s8(to, vdupq_n_s8((int8_t)value));
}

/* Kernel row by kernel row into a plain row, each over the surplus of the one before. */
EC_SPECIALIZED void ec_conv_2d_dot_mve_row(const ec_conv_2d_dot_s8_layer *layer, const int8_t *image, int row,
                                           int column, int8_t *to)
{
    const int reach = layer->kernel_w * layer->in_c, in_row = layer->in_w * layer->in_c;
    const int first = column < 0 ? -column : 0;
    const int behind = column + layer->kernel_w > layer->in_w ? layer->in_w - column : layer->kernel_w;
    int y, x;
    for (y = 0; y < layer->kernel_h; ++y, to += reach) {
        const int r = row + y * layer->dilation_h;
        const int8_t *const from = image + r * in_row + column * layer->in_c;
        const int inside = r >= 0 && r < layer->in_h;
        if (layer->dilation_w != 1) {
            for (x = 0; x < layer->kernel_w; ++x) {
                const int s = column + x * layer->dilation_w;
                int8_t *const tap = to + x * layer->in_c;
                if (inside && s >= 0 && s < layer->in_w) {
                    ec_conv_2d_dot_mve_copy(image + r * in_row + s * layer->in_c, layer->in_c, tap);
                } else {
                    ec_conv_2d_dot_mve_fill(layer->input_zero_point, layer->in_c, tap);
                }
            }
        } else if (inside && first == 0 && behind == layer->kernel_w) {
            ec_conv_2d_dot_mve_copy(from, reach, to);
        } else if (!inside || behind <= first) {
            ec_conv_2d_dot_mve_fill(layer->input_zero_point, reach, to);
        } else {
            ec_conv_2d_dot_mve_fill(layer->input_zero_point, first * layer->in_c, to);
            ec_conv_2d_dot_mve_copy(from + first * layer->in_c, (behind - first) * layer->in_c,
                                    to + first * layer->in_c);
            ec_conv_2d_dot_mve_fill(layer->input_zero_point, (layer->kernel_w - behind) * layer->in_c,
                                    to + behind * layer->in_c);
        }
    }
    /* Surplus of filling is no zero. */
    vstrbq_s8(to, vdupq_n_s8(0));
}

/* A window that lies inside the image, from its corner, by the table of its places. */
EC_SPECIALIZED void ec_conv_2d_dot_mve_window(const ec_conv_2d_dot_s8_layer *layer, const int8_t *corner, int8_t *to)
{
    const int count = layer->kernel_h * layer->kernel_w * layer->in_c;
    int k;
    EC_UNROLLED
    for (k = 0; k < count; k += EC_DOT_CHUNK, to += EC_CONV_2D_DOT_STRIDE) {
        const int left = count - k < EC_DOT_CHUNK ? count - k : EC_DOT_CHUNK;
        if (layer->near) {
            const mve_pred16_t there = vctp8q((uint32_t)left);
            vstrbq_s8(to, vldrbq_gather_offset_z_s8(corner, vldrbq_u8(layer->near + k), there));
        } else {
            const int few = left < 8 ? left : 8;
            /* Not as literals: GCC 12 takes one for another. */
            const mve_pred16_t low = vctp16q((uint32_t)few), high = vctp16q((uint32_t)(left - few));
            vstrbq_s16(to, vldrbq_gather_offset_z_s16(corner, vldrhq_u16(layer->far + k), low));
            vstrbq_s16(to + 8, vldrbq_gather_offset_z_s16(corner, vldrhq_u16(layer->far + k + 8), high));
        }
    }
}

/* Whether the windows of four pixels in one row lie inside the input, in whole chunks. */
EC_SPECIALIZED int ec_conv_2d_dot_mve_together(const ec_conv_2d_dot_s8_layer *layer, int row, int column, int ox)
{
    return layer->in_c % EC_DOT_CHUNK == 0 && layer->dilation_h == 1 && layer->dilation_w == 1 &&
           ox + 4 <= layer->out_w && row >= 0 && column >= 0 && row + layer->kernel_h <= layer->in_h &&
           column + 3 * layer->stride_w + layer->kernel_w <= layer->in_w;
}

/* These windows, from the first one's corner. */
EC_SPECIALIZED void ec_conv_2d_dot_mve_four(const ec_conv_2d_dot_s8_layer *layer, const int8_t *corner, int8_t *to)
{
    const int step = layer->stride_w * layer->in_c;
    int y, k;
    for (y = 0; y < layer->kernel_h; ++y, corner += layer->in_w * layer->in_c) {
        const int8_t *from = corner;
        EC_UNROLLED
        for (k = 0; k < layer->kernel_w * layer->in_c; k += EC_DOT_CHUNK, from += EC_DOT_CHUNK) {
            vstrbq_s8(to, vldrbq_s8(from));
            vstrbq_s8(to + EC_DOT_CHUNK, vldrbq_s8(from + step));
            vstrbq_s8(to + 2 * EC_DOT_CHUNK, vldrbq_s8(from + 2 * step));
            vstrbq_s8(to + 3 * EC_DOT_CHUNK, vldrbq_s8(from + 3 * step));
            to += EC_CONV_2D_DOT_STRIDE;
        }
    }
}

EC_SPECIALIZED void ec_conv_2d_dot_s8_pixel_mve(const ec_conv_2d_dot_s8_layer *layer, const int8_t *image, int row,
                                                int column, int i, int8_t *block)
{
    const int in_row = layer->in_w * layer->in_c;
    const int is_inside = row >= 0 && column >= 0 && row + (layer->kernel_h - 1) * layer->dilation_h < layer->in_h &&
                          column + (layer->kernel_w - 1) * layer->dilation_w < layer->in_w;
    int8_t *to = block + i * EC_DOT_CHUNK;
    int y, x;
    if (layer->kernel_h == 1 && layer->kernel_w == 1) {
        /* No padding: TensorFlow Lite pads only what a kernel reaches over. */
        ec_conv_2d_dot_mve_spread(image + row * in_row + column * layer->in_c, layer->in_c, to);
    } else if (layer->in_c % EC_DOT_CHUNK != 0 && is_inside) {
        ec_conv_2d_dot_mve_window(layer, image + row * in_row + column * layer->in_c, to);
    } else if (layer->in_c % EC_DOT_CHUNK != 0) {
        int8_t *const plain = block + layer->chunks * EC_CONV_2D_DOT_STRIDE;
        ec_conv_2d_dot_mve_row(layer, image, row, column, plain);
        ec_conv_2d_dot_mve_spread(plain, layer->chunks * EC_DOT_CHUNK, to);
    } else if (layer->dilation_w == 1 && layer->dilation_h == 1 && is_inside) {
        const int8_t *from = image + row * in_row + column * layer->in_c;
        for (y = 0; y < layer->kernel_h; ++y, from += in_row) {
            to = ec_conv_2d_dot_mve_spread(from, layer->kernel_w * layer->in_c, to);
        }
    } else {
        for (y = 0; y < layer->kernel_h; ++y) {
            for (x = 0; x < layer->kernel_w; ++x) {
                const int r = row + y * layer->dilation_h, s = column + x * layer->dilation_w;
                if (r >= 0 && r < layer->in_h && s >= 0 && s < layer->in_w) {
                    to = ec_conv_2d_dot_mve_spread(image + r * in_row + s * layer->in_c, layer->in_c, to);
                } else {
                    for (int c = 0; c < layer->in_c; c += EC_DOT_CHUNK, to += EC_CONV_2D_DOT_STRIDE) {
                        vstrbq_s8(to, vdupq_n_s8((int8_t)layer->input_zero_point));
                    }
                }
            }
        }
    }
}

#endif /* EC_CONV_2D_DOT_MVE_H_ */
