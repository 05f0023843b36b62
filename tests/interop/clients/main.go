// Calls a running server with the generated client, ten times.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"example.org/client/lens"
)

func main() {
	address, key, image := os.Args[1], os.Args[2], os.Args[3]
	configuration := lens.NewConfiguration()
	configuration.Servers = lens.ServerConfigurations{{URL: address}}
	api := lens.NewAPIClient(configuration).MammogramsAPI
	caller := context.WithValue(context.Background(), lens.ContextAccessToken, key)

	for round := 0; round < 10; round++ {
		predicted, _, err := api.Predict(caller).File(open(image)).Execute()
		check(err)
		heatmap, _, err := api.ExplainPicture(caller).File(open(image)).Size("200").Execute()
		check(err)
		montage, _, err := api.DrawActivations(caller, "conv2d").File(open(image)).Execute()
		check(err)
		_, _, err = api.ShowActivations(caller, "none").File(open(image)).Execute()

		var refused *lens.GenericOpenAPIError
		if !errors.As(err, &refused) {
			panic("the layer is not refused")
		}
		problem := refused.Model().(lens.Problem)

		spacing := predicted.Image.PixelSpacingMm
		fmt.Printf("%s %.4f %t %t %s\n", predicted.Prediction.Label, spacing[0]+spacing[1],
			isPNG(heatmap), isPNG(montage), problem.Type)
	}
}

func open(path string) *os.File {
	file, err := os.Open(path)
	check(err)
	return file
}

func isPNG(picture *os.File) bool {
	data, err := io.ReadAll(picture)
	check(err)
	return bytes.HasPrefix(data, []byte("\x89PNG\r\n"))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
