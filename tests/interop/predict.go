// Posts a file ten times with net/http in its default settings, as a form and raw.
package main

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
)

func form(data []byte) (string, io.Reader) {
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	part, _ := writer.CreateFormFile("file", "image.dcm")
	part.Write(data)
	writer.Close()
	return writer.FormDataContentType(), &body
}

func main() {
	data, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	for number := 0; number < 10; number++ {
		formType, formBody := form(data)
		for _, request := range []struct {
			mediaType string
			body      io.Reader
		}{{"application/dicom", bytes.NewReader(data)}, {formType, formBody}} {
			answer, err := http.Post(os.Args[1]+"/predict", request.mediaType, request.body)
			if err != nil {
				panic(err)
			}
			io.Copy(io.Discard, answer.Body)
			answer.Body.Close()
			fmt.Println(answer.StatusCode, answer.Proto)
		}
	}
}
