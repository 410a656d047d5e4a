/* Functions of one float32: activations and plain mathematics, by the C library's own functions.
 *
 * layer    literal number of elements and function; `slope` of LEAKY_RELU
 * input    float32
 * output   float32; may begin at the input or below it
 *
 * Nothing is allocated.
 */
#ifndef EC_UNARY_F32_H_
#define EC_UNARY_F32_H_

#include <math.h>

#include "rounding.h"

#define EC_UNARY_F32_ABS 0
#define EC_UNARY_F32_CEIL 1
#define EC_UNARY_F32_COS 2
#define EC_UNARY_F32_ELU 3
#define EC_UNARY_F32_EXP 4
#define EC_UNARY_F32_FLOOR 5
#define EC_UNARY_F32_HARD_SWISH 6
#define EC_UNARY_F32_LEAKY_RELU 7
#define EC_UNARY_F32_LOG 8
#define EC_UNARY_F32_LOGISTIC 9
#define EC_UNARY_F32_NEG 10
#define EC_UNARY_F32_RELU 11
#define EC_UNARY_F32_RELU6 12
#define EC_UNARY_F32_ROUND 13
#define EC_UNARY_F32_RSQRT 14
#define EC_UNARY_F32_SIN 15
#define EC_UNARY_F32_SQRT 16
#define EC_UNARY_F32_SQUARE 17
#define EC_UNARY_F32_TANH 18

typedef struct {
    int count, function;
    float slope;
} ec_unary_f32_layer;

/* Beyond these the reference's logistic is exp(x), and 1. */
EC_SPECIALIZED float ec_unary_f32_logistic(float x)
{
    if (x > 16.619047164916992188f) return 1.0f;
    return x < -9.0f ? expf(x) : 1.0f / (1.0f + expf(-x));
}

EC_SPECIALIZED float ec_unary_f32_cut(float x, float highest)
{
    const float up = x < 0.0f ? 0.0f : x;
    return up > highest ? highest : up;
}

/* To the nearest whole number, halves to the even one. */
EC_SPECIALIZED float ec_unary_f32_round(float x)
{
    const float below = floorf(x), rest = x - below;
    return rest < 0.5f || (!(rest > 0.5f) && !(fmodf(below, 2.0f) < 0.0f || fmodf(below, 2.0f) > 0.0f)) ? below
                                                                                                        : below + 1.0f;
}

EC_SPECIALIZED float ec_unary_f32_value(int function, float slope, float x)
{
    switch (function) {
    case EC_UNARY_F32_ABS: return fabsf(x);
    case EC_UNARY_F32_CEIL: return ceilf(x);
    case EC_UNARY_F32_COS: return cosf(x);
    case EC_UNARY_F32_ELU: return x < 0.0f ? expm1f(x) : x;
    case EC_UNARY_F32_EXP: return expf(x);
    case EC_UNARY_F32_FLOOR: return floorf(x);
    case EC_UNARY_F32_HARD_SWISH: return x * ec_unary_f32_cut(x + 3.0f, 6.0f) / 6.0f;
    case EC_UNARY_F32_LEAKY_RELU: return x > 0.0f ? x : x * slope;
    case EC_UNARY_F32_LOG: return logf(x);
    case EC_UNARY_F32_LOGISTIC: return ec_unary_f32_logistic(x);
    case EC_UNARY_F32_NEG: return -x;
    case EC_UNARY_F32_RELU: return x < 0.0f ? 0.0f : x;
    case EC_UNARY_F32_RELU6: return ec_unary_f32_cut(x, 6.0f);
    case EC_UNARY_F32_ROUND: return ec_unary_f32_round(x);
    case EC_UNARY_F32_RSQRT: return 1.0f / sqrtf(x);
    case EC_UNARY_F32_SIN: return sinf(x);
    case EC_UNARY_F32_SQRT: return sqrtf(x);
    case EC_UNARY_F32_SQUARE: return x * x;
    default: return tanhf(x);
    }
}

EC_SPECIALIZED void ec_unary_f32(const ec_unary_f32_layer *layer, const float *input, float *output)
{
    int i;
    for (i = 0; i < layer->count; ++i) output[i] = ec_unary_f32_value(layer->function, layer->slope, input[i]);
}

#endif /* EC_UNARY_F32_H_ */
