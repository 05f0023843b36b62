import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Posts a file ten times with the JDK's own client, which offers an upgrade to HTTP/2 on the first request: raw, as a
 * form of known length, and as a chunked form, as Spring's RestClient sends it.
 */
public class Predict {
    private static final String FORM = "multipart/form-data; boundary=lens";

    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments[1]);
        byte[] form = form(Files.readAllBytes(path));
        for (int number = 0; number < 10; number++) {
            post(arguments[0], "application/dicom", BodyPublishers.ofFile(path));
            post(arguments[0], FORM, BodyPublishers.ofByteArray(form));
            post(arguments[0], FORM, BodyPublishers.ofByteArrays(List.of(form)));
        }
    }

    private static void post(String server, String mediaType, BodyPublisher body) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + "/predict"))
                .header("Content-Type", mediaType)
                .POST(body)
                .build();
        HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
        System.out.println(response.statusCode() + " " + response.version());
    }

    private static byte[] form(byte[] data) throws Exception {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        String head = "--lens\r\nContent-Disposition: form-data; name=\"file\"; filename=\"image.dcm\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n";
        body.write(head.getBytes(StandardCharsets.US_ASCII));
        body.write(data);
        body.write("\r\n--lens--\r\n".getBytes(StandardCharsets.US_ASCII));
        return body.toByteArray();
    }
}
