package org.example.digits;

import android.app.Activity;
import android.os.Bundle;
import android.widget.LinearLayout;
import android.widget.TextView;
import java.io.IOException;

/** Reads the digit that is drawn on the grid; a long press clears it. */
public final class MainActivity extends Activity implements GridView.Listener {
    private Digits model;
    private TextView answer;

    @Override
    protected void onCreate(Bundle state) {
        super.onCreate(state);
        try {
            model = new Digits(this);
        } catch (IOException error) {
            throw new IllegalStateException("the app was built without its model", error);
        }
        answer = new TextView(this);
        answer.setTextSize(32);
        LinearLayout page = new LinearLayout(this);
        page.setOrientation(LinearLayout.VERTICAL);
        page.addView(answer);
        page.addView(new GridView(this, this));
        setContentView(page);
    }

    @Override
    public void onDrawn(float[] pixels) {
        answer.setText(Digits.best(model.run(pixels)));
    }

    @Override
    protected void onDestroy() {
        model.close();
        super.onDestroy();
    }
}
