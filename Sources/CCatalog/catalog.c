// Made by Scripts/list-files.sh from what is in Catalog/ and Python/: Takumi is one file to copy.
#include "ccatalog.h"

static const unsigned char file_0[] = {
#embed "../../Catalog/algorithms.yaml"
};
static const unsigned char file_1[] = {
#embed "../../Catalog/flavors.yaml"
};
static const unsigned char file_2[] = {
#embed "../../Catalog/images.yaml"
};
static const unsigned char file_3[] = {
#embed "../../Catalog/locks/optuna-5.0.0.txt"
};
static const unsigned char file_4[] = {
#embed "../../Catalog/locks/optuna-gp-5.0.0-cpu.txt"
};
static const unsigned char file_5[] = {
#embed "../../Catalog/locks/python-notebook-3.11-r2.txt"
};
static const unsigned char file_6[] = {
#embed "../../Catalog/locks/python-notebook-3.11.txt"
};
static const unsigned char file_7[] = {
#embed "../../Catalog/locks/python-train-3.11.txt"
};
static const unsigned char file_8[] = {
#embed "../../Catalog/locks/pytorch-notebook-2.13.0-cpu-r2.txt"
};
static const unsigned char file_9[] = {
#embed "../../Catalog/locks/pytorch-notebook-2.13.0-cpu.txt"
};
static const unsigned char file_10[] = {
#embed "../../Catalog/locks/pytorch-notebook-2.13.0-gpu-r2.txt"
};
static const unsigned char file_11[] = {
#embed "../../Catalog/locks/pytorch-notebook-2.13.0-gpu.txt"
};
static const unsigned char file_12[] = {
#embed "../../Catalog/locks/pytorch-train-2.13.0-cpu.txt"
};
static const unsigned char file_13[] = {
#embed "../../Catalog/locks/pytorch-train-2.13.0-gpu.txt"
};
static const unsigned char file_14[] = {
#embed "../../Catalog/locks/serve-huggingface-5.24.0-cpu.txt"
};
static const unsigned char file_15[] = {
#embed "../../Catalog/locks/serve-huggingface-5.24.0-gpu.txt"
};
static const unsigned char file_16[] = {
#embed "../../Catalog/locks/serve-pytorch-2.13.0-cpu.txt"
};
static const unsigned char file_17[] = {
#embed "../../Catalog/locks/serve-pytorch-2.13.0-gpu.txt"
};
static const unsigned char file_18[] = {
#embed "../../Catalog/locks/serve-sklearn-1.9.1-cpu.txt"
};
static const unsigned char file_19[] = {
#embed "../../Catalog/locks/serve-tensorflow-2.21.0-cpu.txt"
};
static const unsigned char file_20[] = {
#embed "../../Catalog/locks/serve-tensorflow-2.21.0-gpu.txt"
};
static const unsigned char file_21[] = {
#embed "../../Catalog/locks/tensorboard-2.21.0.txt"
};
static const unsigned char file_22[] = {
#embed "../../Catalog/locks/tensorflow-notebook-2.21.0-cpu-r2.txt"
};
static const unsigned char file_23[] = {
#embed "../../Catalog/locks/tensorflow-notebook-2.21.0-cpu.txt"
};
static const unsigned char file_24[] = {
#embed "../../Catalog/locks/tensorflow-notebook-2.21.0-gpu-r2.txt"
};
static const unsigned char file_25[] = {
#embed "../../Catalog/locks/tensorflow-notebook-2.21.0-gpu.txt"
};
static const unsigned char file_26[] = {
#embed "../../Catalog/locks/tensorflow-train-2.21.0-cpu.txt"
};
static const unsigned char file_27[] = {
#embed "../../Catalog/locks/tensorflow-train-2.21.0-gpu.txt"
};
static const unsigned char file_28[] = {
#embed "../../Python/takumi_runtime/notebook/__init__.py"
};
static const unsigned char file_29[] = {
#embed "../../Python/takumi_runtime/notebook/__main__.py"
};
static const unsigned char file_30[] = {
#embed "../../Python/takumi_runtime/notebook/kernels.py"
};
static const unsigned char file_31[] = {
#embed "../../Python/takumi_runtime/notebook/launcher.py"
};
static const unsigned char file_32[] = {
#embed "../../Python/takumi_runtime/notebook/life.py"
};
static const unsigned char file_33[] = {
#embed "../../Python/takumi_runtime/notebook/options.py"
};
static const unsigned char file_34[] = {
#embed "../../Python/takumi_runtime/notebook/scripts.py"
};
static const unsigned char file_35[] = {
#embed "../../Python/takumi_runtime/notebook/server.py"
};
static const unsigned char file_36[] = {
#embed "../../Python/takumi_runtime/notebook/status.py"
};
static const unsigned char file_37[] = {
#embed "../../Python/takumi_runtime/notebook/storage.py"
};
static const unsigned char file_38[] = {
#embed "../../Python/takumi_runtime/sampler.py"
};
static const unsigned char file_39[] = {
#embed "../../Python/takumi_runtime/serving/__init__.py"
};
static const unsigned char file_40[] = {
#embed "../../Python/takumi_runtime/serving/__main__.py"
};
static const unsigned char file_41[] = {
#embed "../../Python/takumi_runtime/serving/archive.py"
};
static const unsigned char file_42[] = {
#embed "../../Python/takumi_runtime/serving/calls.py"
};
static const unsigned char file_43[] = {
#embed "../../Python/takumi_runtime/serving/codec.py"
};
static const unsigned char file_44[] = {
#embed "../../Python/takumi_runtime/serving/encoders.py"
};
static const unsigned char file_45[] = {
#embed "../../Python/takumi_runtime/serving/envelopes.py"
};
static const unsigned char file_46[] = {
#embed "../../Python/takumi_runtime/serving/errors.py"
};
static const unsigned char file_47[] = {
#embed "../../Python/takumi_runtime/serving/generation.py"
};
static const unsigned char file_48[] = {
#embed "../../Python/takumi_runtime/serving/handlers.py"
};
static const unsigned char file_49[] = {
#embed "../../Python/takumi_runtime/serving/huggingface_model.py"
};
static const unsigned char file_50[] = {
#embed "../../Python/takumi_runtime/serving/linear.py"
};
static const unsigned char file_51[] = {
#embed "../../Python/takumi_runtime/serving/link.py"
};
static const unsigned char file_52[] = {
#embed "../../Python/takumi_runtime/serving/model.py"
};
static const unsigned char file_53[] = {
#embed "../../Python/takumi_runtime/serving/modules.py"
};
static const unsigned char file_54[] = {
#embed "../../Python/takumi_runtime/serving/openai_api.py"
};
static const unsigned char file_55[] = {
#embed "../../Python/takumi_runtime/serving/options.py"
};
static const unsigned char file_56[] = {
#embed "../../Python/takumi_runtime/serving/pytorch_model.py"
};
static const unsigned char file_57[] = {
#embed "../../Python/takumi_runtime/serving/sampling.py"
};
static const unsigned char file_58[] = {
#embed "../../Python/takumi_runtime/serving/sklearn_model.py"
};
static const unsigned char file_59[] = {
#embed "../../Python/takumi_runtime/serving/tensorflow_model.py"
};
static const unsigned char file_60[] = {
#embed "../../Python/takumi_runtime/serving/tensors.py"
};
static const unsigned char file_61[] = {
#embed "../../Python/takumi_runtime/serving/threads.py"
};
static const unsigned char file_62[] = {
#embed "../../Python/takumi_runtime/serving/torchserve.py"
};
static const unsigned char file_63[] = {
#embed "../../Python/takumi_runtime/serving/transforms.py"
};
static const unsigned char file_64[] = {
#embed "../../Python/takumi_runtime/serving/vllm_model.py"
};
static const unsigned char file_65[] = {
#embed "../../Python/takumi_runtime/serving/worker.py"
};
static const unsigned char file_66[] = {
#embed "../../Python/takumi_runtime/warm.py"
};

static const struct takumi_catalog_file files[] = {
    {"algorithms.yaml", file_0, sizeof(file_0)},
    {"flavors.yaml", file_1, sizeof(file_1)},
    {"images.yaml", file_2, sizeof(file_2)},
    {"locks/optuna-5.0.0.txt", file_3, sizeof(file_3)},
    {"locks/optuna-gp-5.0.0-cpu.txt", file_4, sizeof(file_4)},
    {"locks/python-notebook-3.11-r2.txt", file_5, sizeof(file_5)},
    {"locks/python-notebook-3.11.txt", file_6, sizeof(file_6)},
    {"locks/python-train-3.11.txt", file_7, sizeof(file_7)},
    {"locks/pytorch-notebook-2.13.0-cpu-r2.txt", file_8, sizeof(file_8)},
    {"locks/pytorch-notebook-2.13.0-cpu.txt", file_9, sizeof(file_9)},
    {"locks/pytorch-notebook-2.13.0-gpu-r2.txt", file_10, sizeof(file_10)},
    {"locks/pytorch-notebook-2.13.0-gpu.txt", file_11, sizeof(file_11)},
    {"locks/pytorch-train-2.13.0-cpu.txt", file_12, sizeof(file_12)},
    {"locks/pytorch-train-2.13.0-gpu.txt", file_13, sizeof(file_13)},
    {"locks/serve-huggingface-5.24.0-cpu.txt", file_14, sizeof(file_14)},
    {"locks/serve-huggingface-5.24.0-gpu.txt", file_15, sizeof(file_15)},
    {"locks/serve-pytorch-2.13.0-cpu.txt", file_16, sizeof(file_16)},
    {"locks/serve-pytorch-2.13.0-gpu.txt", file_17, sizeof(file_17)},
    {"locks/serve-sklearn-1.9.1-cpu.txt", file_18, sizeof(file_18)},
    {"locks/serve-tensorflow-2.21.0-cpu.txt", file_19, sizeof(file_19)},
    {"locks/serve-tensorflow-2.21.0-gpu.txt", file_20, sizeof(file_20)},
    {"locks/tensorboard-2.21.0.txt", file_21, sizeof(file_21)},
    {"locks/tensorflow-notebook-2.21.0-cpu-r2.txt", file_22, sizeof(file_22)},
    {"locks/tensorflow-notebook-2.21.0-cpu.txt", file_23, sizeof(file_23)},
    {"locks/tensorflow-notebook-2.21.0-gpu-r2.txt", file_24, sizeof(file_24)},
    {"locks/tensorflow-notebook-2.21.0-gpu.txt", file_25, sizeof(file_25)},
    {"locks/tensorflow-train-2.21.0-cpu.txt", file_26, sizeof(file_26)},
    {"locks/tensorflow-train-2.21.0-gpu.txt", file_27, sizeof(file_27)},
    {"programs/notebook/__init__.py", file_28, sizeof(file_28)},
    {"programs/notebook/__main__.py", file_29, sizeof(file_29)},
    {"programs/notebook/kernels.py", file_30, sizeof(file_30)},
    {"programs/notebook/launcher.py", file_31, sizeof(file_31)},
    {"programs/notebook/life.py", file_32, sizeof(file_32)},
    {"programs/notebook/options.py", file_33, sizeof(file_33)},
    {"programs/notebook/scripts.py", file_34, sizeof(file_34)},
    {"programs/notebook/server.py", file_35, sizeof(file_35)},
    {"programs/notebook/status.py", file_36, sizeof(file_36)},
    {"programs/notebook/storage.py", file_37, sizeof(file_37)},
    {"programs/sampler.py", file_38, sizeof(file_38)},
    {"programs/serving/__init__.py", file_39, sizeof(file_39)},
    {"programs/serving/__main__.py", file_40, sizeof(file_40)},
    {"programs/serving/archive.py", file_41, sizeof(file_41)},
    {"programs/serving/calls.py", file_42, sizeof(file_42)},
    {"programs/serving/codec.py", file_43, sizeof(file_43)},
    {"programs/serving/encoders.py", file_44, sizeof(file_44)},
    {"programs/serving/envelopes.py", file_45, sizeof(file_45)},
    {"programs/serving/errors.py", file_46, sizeof(file_46)},
    {"programs/serving/generation.py", file_47, sizeof(file_47)},
    {"programs/serving/handlers.py", file_48, sizeof(file_48)},
    {"programs/serving/huggingface_model.py", file_49, sizeof(file_49)},
    {"programs/serving/linear.py", file_50, sizeof(file_50)},
    {"programs/serving/link.py", file_51, sizeof(file_51)},
    {"programs/serving/model.py", file_52, sizeof(file_52)},
    {"programs/serving/modules.py", file_53, sizeof(file_53)},
    {"programs/serving/openai_api.py", file_54, sizeof(file_54)},
    {"programs/serving/options.py", file_55, sizeof(file_55)},
    {"programs/serving/pytorch_model.py", file_56, sizeof(file_56)},
    {"programs/serving/sampling.py", file_57, sizeof(file_57)},
    {"programs/serving/sklearn_model.py", file_58, sizeof(file_58)},
    {"programs/serving/tensorflow_model.py", file_59, sizeof(file_59)},
    {"programs/serving/tensors.py", file_60, sizeof(file_60)},
    {"programs/serving/threads.py", file_61, sizeof(file_61)},
    {"programs/serving/torchserve.py", file_62, sizeof(file_62)},
    {"programs/serving/transforms.py", file_63, sizeof(file_63)},
    {"programs/serving/vllm_model.py", file_64, sizeof(file_64)},
    {"programs/serving/worker.py", file_65, sizeof(file_65)},
    {"programs/warm.py", file_66, sizeof(file_66)},
};

const struct takumi_catalog_file *takumi_catalog_file(int index) {
    const int count = sizeof(files) / sizeof(files[0]);
    return index >= 0 && index < count ? &files[index] : 0;
}
