// The files of Catalog/ and Python/, carried inside the binary: Takumi is one file to copy.
#include "ccatalog.h"

static const unsigned char algorithms_yaml[] = {
#embed "../../Catalog/algorithms.yaml"
};
static const unsigned char flavors_yaml[] = {
#embed "../../Catalog/flavors.yaml"
};
static const unsigned char images_yaml[] = {
#embed "../../Catalog/images.yaml"
};
static const unsigned char optuna_5_0_0_txt[] = {
#embed "../../Catalog/locks/optuna-5.0.0.txt"
};
static const unsigned char optuna_gp_5_0_0_cpu_txt[] = {
#embed "../../Catalog/locks/optuna-gp-5.0.0-cpu.txt"
};
static const unsigned char python_notebook_3_11_txt[] = {
#embed "../../Catalog/locks/python-notebook-3.11.txt"
};
static const unsigned char python_train_3_11_txt[] = {
#embed "../../Catalog/locks/python-train-3.11.txt"
};
static const unsigned char pytorch_notebook_2_13_0_cpu_txt[] = {
#embed "../../Catalog/locks/pytorch-notebook-2.13.0-cpu.txt"
};
static const unsigned char pytorch_notebook_2_13_0_gpu_txt[] = {
#embed "../../Catalog/locks/pytorch-notebook-2.13.0-gpu.txt"
};
static const unsigned char pytorch_train_2_13_0_cpu_txt[] = {
#embed "../../Catalog/locks/pytorch-train-2.13.0-cpu.txt"
};
static const unsigned char pytorch_train_2_13_0_gpu_txt[] = {
#embed "../../Catalog/locks/pytorch-train-2.13.0-gpu.txt"
};
static const unsigned char tensorboard_2_21_0_txt[] = {
#embed "../../Catalog/locks/tensorboard-2.21.0.txt"
};
static const unsigned char tensorflow_notebook_2_21_0_cpu_txt[] = {
#embed "../../Catalog/locks/tensorflow-notebook-2.21.0-cpu.txt"
};
static const unsigned char tensorflow_notebook_2_21_0_gpu_txt[] = {
#embed "../../Catalog/locks/tensorflow-notebook-2.21.0-gpu.txt"
};
static const unsigned char tensorflow_train_2_21_0_cpu_txt[] = {
#embed "../../Catalog/locks/tensorflow-train-2.21.0-cpu.txt"
};
static const unsigned char tensorflow_train_2_21_0_gpu_txt[] = {
#embed "../../Catalog/locks/tensorflow-train-2.21.0-gpu.txt"
};
static const unsigned char sampler_py[] = {
#embed "../../Python/takumi_runtime/sampler.py"
};
static const unsigned char warm_py[] = {
#embed "../../Python/takumi_runtime/warm.py"
};

static const struct takumi_catalog_file files[] = {
    {"algorithms.yaml", algorithms_yaml, sizeof(algorithms_yaml)},
    {"flavors.yaml", flavors_yaml, sizeof(flavors_yaml)},
    {"images.yaml", images_yaml, sizeof(images_yaml)},
    {"locks/optuna-5.0.0.txt", optuna_5_0_0_txt, sizeof(optuna_5_0_0_txt)},
    {"locks/optuna-gp-5.0.0-cpu.txt", optuna_gp_5_0_0_cpu_txt, sizeof(optuna_gp_5_0_0_cpu_txt)},
    {"locks/python-notebook-3.11.txt", python_notebook_3_11_txt, sizeof(python_notebook_3_11_txt)},
    {"locks/python-train-3.11.txt", python_train_3_11_txt, sizeof(python_train_3_11_txt)},
    {"locks/pytorch-notebook-2.13.0-cpu.txt", pytorch_notebook_2_13_0_cpu_txt, sizeof(pytorch_notebook_2_13_0_cpu_txt)},
    {"locks/pytorch-notebook-2.13.0-gpu.txt", pytorch_notebook_2_13_0_gpu_txt, sizeof(pytorch_notebook_2_13_0_gpu_txt)},
    {"locks/pytorch-train-2.13.0-cpu.txt", pytorch_train_2_13_0_cpu_txt, sizeof(pytorch_train_2_13_0_cpu_txt)},
    {"locks/pytorch-train-2.13.0-gpu.txt", pytorch_train_2_13_0_gpu_txt, sizeof(pytorch_train_2_13_0_gpu_txt)},
    {"locks/tensorboard-2.21.0.txt", tensorboard_2_21_0_txt, sizeof(tensorboard_2_21_0_txt)},
    {"locks/tensorflow-notebook-2.21.0-cpu.txt", tensorflow_notebook_2_21_0_cpu_txt, sizeof(tensorflow_notebook_2_21_0_cpu_txt)},
    {"locks/tensorflow-notebook-2.21.0-gpu.txt", tensorflow_notebook_2_21_0_gpu_txt, sizeof(tensorflow_notebook_2_21_0_gpu_txt)},
    {"locks/tensorflow-train-2.21.0-cpu.txt", tensorflow_train_2_21_0_cpu_txt, sizeof(tensorflow_train_2_21_0_cpu_txt)},
    {"locks/tensorflow-train-2.21.0-gpu.txt", tensorflow_train_2_21_0_gpu_txt, sizeof(tensorflow_train_2_21_0_gpu_txt)},
    {"programs/sampler.py", sampler_py, sizeof(sampler_py)},
    {"programs/warm.py", warm_py, sizeof(warm_py)},
};

const struct takumi_catalog_file *takumi_catalog_file(int index) {
    const int count = sizeof(files) / sizeof(files[0]);
    return index >= 0 && index < count ? &files[index] : 0;
}
