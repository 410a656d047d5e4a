package org.example.digits;

import android.content.Context;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.Paint;
import android.view.MotionEvent;
import android.view.View;

/** A grid of 8 x 8 pixels from 0 to 16, as the digits were scanned, to draw on with a finger. */
public final class GridView extends View {
    /** Is told what was drawn when the finger lifts. */
    public interface Listener {
        void onDrawn(float[] pixels);
    }

    private static final int SIZE = 8;
    private static final float INK = 16;
    private final float[] pixels = new float[SIZE * SIZE];
    private final Paint paint = new Paint();
    private final Listener listener;

    public GridView(Context context, Listener listener) {
        super(context);
        this.listener = listener;
        setOnLongClickListener(view -> {
            java.util.Arrays.fill(pixels, 0);
            invalidate();
            return true;
        });
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        super.onTouchEvent(event);
        float cell = (float) getWidth() / SIZE;
        int column = (int) (event.getX() / cell);
        int row = (int) (event.getY() / cell);
        if (row >= 0 && row < SIZE && column >= 0 && column < SIZE) {
            pixels[row * SIZE + column] = INK;
            invalidate();
        }
        if (event.getAction() == MotionEvent.ACTION_UP) {
            listener.onDrawn(pixels);
        }
        return true;
    }

    @Override
    protected void onDraw(Canvas canvas) {
        float cell = (float) getWidth() / SIZE;
        for (int i = 0; i < pixels.length; i++) {
            int grey = 255 - (int) (pixels[i] / INK * 255);
            paint.setColor(Color.rgb(grey, grey, grey));
            float x = i % SIZE * cell;
            float y = i / SIZE * cell;
            canvas.drawRect(x, y, x + cell - 1, y + cell - 1, paint);
        }
    }
}
