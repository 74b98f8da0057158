package main

// The messages of Protos/ that are needed here, with the fields that are looked at. They are written by hand, so that no
// generator reads the contract for both sides. A oneof is on the wire what its members are.

type empty struct{}

type healthCheckRequest struct {
	Service string `protobuf:"bytes,1,opt,name=service,proto3"`
}

// serving is HealthCheckResponse.ServingStatus.SERVING.
const serving = 1

type healthCheckResponse struct {
	Status int32 `protobuf:"varint,1,opt,name=status,proto3"`
}

type daemonStatus struct {
	Version string      `protobuf:"bytes,1,opt,name=version,proto3"`
	Pid     uint32      `protobuf:"varint,2,opt,name=pid,proto3"`
	Socket  string      `protobuf:"bytes,3,opt,name=socket,proto3"`
	Calls   []*callInfo `protobuf:"bytes,11,rep,name=calls,proto3"`
}

type callInfo struct {
	Method string `protobuf:"bytes,2,opt,name=method,proto3"`
}

type modelList struct {
	Models []*modelListing `protobuf:"bytes,1,rep,name=models,proto3"`
}

// embedded is ModelState.EMBEDDED.
const embedded = 1

type modelListing struct {
	Name  string `protobuf:"bytes,1,opt,name=name,proto3"`
	State int32  `protobuf:"varint,2,opt,name=state,proto3"`
}

type modelRef struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3"`
}

type modelInfo struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3"`
}

type audioSource struct {
	Clip     string `protobuf:"bytes,2,opt,name=clip,proto3"`
	PcmS16le []byte `protobuf:"bytes,4,opt,name=pcm_s16le,proto3"`
	Name     string `protobuf:"bytes,5,opt,name=name,proto3"`
}

type transcribeRequest struct {
	Model *modelRef    `protobuf:"bytes,1,opt,name=model,proto3"`
	Audio *audioSource `protobuf:"bytes,2,opt,name=audio,proto3"`
}

type transcript struct {
	File     string  `protobuf:"bytes,1,opt,name=file,proto3"`
	Duration float64 `protobuf:"fixed64,2,opt,name=duration,proto3"`
	Language string  `protobuf:"bytes,3,opt,name=language,proto3"`
	Text     string  `protobuf:"bytes,4,opt,name=text,proto3"`
}

type detectLanguageRequest struct {
	Model *modelRef    `protobuf:"bytes,1,opt,name=model,proto3"`
	Audio *audioSource `protobuf:"bytes,2,opt,name=audio,proto3"`
}

type languageProbabilities struct {
	Languages []*languageProbability `protobuf:"bytes,1,rep,name=languages,proto3"`
}

type languageProbability struct {
	Language    string  `protobuf:"bytes,1,opt,name=language,proto3"`
	Probability float32 `protobuf:"fixed32,2,opt,name=probability,proto3"`
}

type tokenizeRequest struct {
	Text string `protobuf:"bytes,2,opt,name=text,proto3"`
}

type tokenList struct {
	Tokens []*token `protobuf:"bytes,1,rep,name=tokens,proto3"`
}

type token struct {
	ID    int32  `protobuf:"varint,1,opt,name=id,proto3"`
	Bytes []byte `protobuf:"bytes,2,opt,name=bytes,proto3"`
}
