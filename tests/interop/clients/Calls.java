import java.io.File;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import lens.ApiClient;
import lens.ApiException;
import lens.api.MammogramsApi;
import lens.model.PredictAnswer;
import lens.model.Problem;

/** Calls a running server with the generated client, ten times. Its HTTP client offers an upgrade to HTTP/2. */
public class Calls {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + arguments[1]));
        MammogramsApi api = new MammogramsApi(client);
        File image = new File(arguments[2]);

        for (int round = 0; round < 10; round++) {
            PredictAnswer predicted = api.predict(image, null, null, null);
            File heatmap = api.explainPicture(
                    image, null, null, null, null, null, null, null, null, null, null, null, "200", null);
            File montage = api.drawActivations("conv2d", image, null, null, null, null, null);

            List<BigDecimal> spacing = predicted.getImage().getPixelSpacingMm();
            System.out.println(String.format(Locale.ROOT, "%s %.4f %b %b %s",
                    predicted.getPrediction().getLabel(), spacing.get(0).add(spacing.get(1)),
                    isPng(heatmap), isPng(montage), refusal(client, api, image)));
        }
    }

    private static String refusal(ApiClient client, MammogramsApi api, File image) throws IOException {
        try {
            api.showActivations("none", image, null, null, null, null, null);
        } catch (ApiException error) {
            return client.getObjectMapper().readValue(error.getResponseBody(), Problem.class).getType();
        }
        throw new IllegalStateException("the layer is not refused");
    }

    private static boolean isPng(File picture) throws IOException {
        byte[] data = Files.readAllBytes(picture.toPath());
        return data[0] == (byte) 0x89 && new String(data, 1, 3, "US-ASCII").equals("PNG");
    }
}
