// Made by Scripts/list-files.sh from what is in Console/: the pages' parts, carried inside the binary.
#include "cconsole.h"

// A library from Debian (libjs-chart.js), bundled when the binary is built and in no commit.
#define CHART "/usr/share/javascript/chart.js/chart.min.js"
#if !__has_embed(CHART)
#error "the chart library is missing: run make setup (or apt-get install libjs-chart.js)"
#endif
static const unsigned char chart[] = {
#embed CHART
};
static const unsigned char file_0[] = {
#embed "../../Console/favicon.svg"
};
static const unsigned char file_1[] = {
#embed "../../Console/icons.svg"
};
static const unsigned char file_2[] = {
#embed "../../Console/scripts/chart-live.js"
};
static const unsigned char file_3[] = {
#embed "../../Console/scripts/chart-options.js"
};
static const unsigned char file_4[] = {
#embed "../../Console/scripts/charts.js"
};
static const unsigned char file_5[] = {
#embed "../../Console/scripts/dialog.js"
};
static const unsigned char file_6[] = {
#embed "../../Console/scripts/dom.js"
};
static const unsigned char file_7[] = {
#embed "../../Console/scripts/forms.js"
};
static const unsigned char file_8[] = {
#embed "../../Console/scripts/live.js"
};
static const unsigned char file_9[] = {
#embed "../../Console/scripts/log-lines.js"
};
static const unsigned char file_10[] = {
#embed "../../Console/scripts/log-scroll.js"
};
static const unsigned char file_11[] = {
#embed "../../Console/scripts/log-search.js"
};
static const unsigned char file_12[] = {
#embed "../../Console/scripts/log.js"
};
static const unsigned char file_13[] = {
#embed "../../Console/scripts/main.js"
};
static const unsigned char file_14[] = {
#embed "../../Console/scripts/morph.js"
};
static const unsigned char file_15[] = {
#embed "../../Console/scripts/picker.js"
};
static const unsigned char file_16[] = {
#embed "../../Console/scripts/spec-editor.js"
};
static const unsigned char file_17[] = {
#embed "../../Console/scripts/storage.js"
};
static const unsigned char file_18[] = {
#embed "../../Console/scripts/study-model.js"
};
static const unsigned char file_19[] = {
#embed "../../Console/scripts/study-parallel.js"
};
static const unsigned char file_20[] = {
#embed "../../Console/scripts/study-plots.js"
};
static const unsigned char file_21[] = {
#embed "../../Console/scripts/study-ranges.js"
};
static const unsigned char file_22[] = {
#embed "../../Console/scripts/study.js"
};
static const unsigned char file_23[] = {
#embed "../../Console/scripts/tabs.js"
};
static const unsigned char file_24[] = {
#embed "../../Console/scripts/time.js"
};
static const unsigned char file_25[] = {
#embed "../../Console/scripts/toast.js"
};
static const unsigned char file_26[] = {
#embed "../../Console/strings/en.yaml"
};
static const unsigned char file_27[] = {
#embed "../../Console/strings/ja.yaml"
};
static const unsigned char file_28[] = {
#embed "../../Console/study.css"
};
static const unsigned char file_29[] = {
#embed "../../Console/style.css"
};
static const unsigned char file_30[] = {
#embed "../../Console/templates/account.mustache"
};
static const unsigned char file_31[] = {
#embed "../../Console/templates/compare.mustache"
};
static const unsigned char file_32[] = {
#embed "../../Console/templates/confirm.mustache"
};
static const unsigned char file_33[] = {
#embed "../../Console/templates/dashboard.mustache"
};
static const unsigned char file_34[] = {
#embed "../../Console/templates/detail.mustache"
};
static const unsigned char file_35[] = {
#embed "../../Console/templates/error.mustache"
};
static const unsigned char file_36[] = {
#embed "../../Console/templates/event-list.mustache"
};
static const unsigned char file_37[] = {
#embed "../../Console/templates/events.mustache"
};
static const unsigned char file_38[] = {
#embed "../../Console/templates/form.mustache"
};
static const unsigned char file_39[] = {
#embed "../../Console/templates/images.mustache"
};
static const unsigned char file_40[] = {
#embed "../../Console/templates/list.mustache"
};
static const unsigned char file_41[] = {
#embed "../../Console/templates/login-link.mustache"
};
static const unsigned char file_42[] = {
#embed "../../Console/templates/login.mustache"
};
static const unsigned char file_43[] = {
#embed "../../Console/templates/nas-folder.mustache"
};
static const unsigned char file_44[] = {
#embed "../../Console/templates/nas.mustache"
};
static const unsigned char file_45[] = {
#embed "../../Console/templates/parts/cards.mustache"
};
static const unsigned char file_46[] = {
#embed "../../Console/templates/parts/cause.mustache"
};
static const unsigned char file_47[] = {
#embed "../../Console/templates/parts/cell.mustache"
};
static const unsigned char file_48[] = {
#embed "../../Console/templates/parts/field.mustache"
};
static const unsigned char file_49[] = {
#embed "../../Console/templates/parts/form.mustache"
};
static const unsigned char file_50[] = {
#embed "../../Console/templates/parts/head.mustache"
};
static const unsigned char file_51[] = {
#embed "../../Console/templates/parts/listing.mustache"
};
static const unsigned char file_52[] = {
#embed "../../Console/templates/parts/log.mustache"
};
static const unsigned char file_53[] = {
#embed "../../Console/templates/parts/preferences.mustache"
};
static const unsigned char file_54[] = {
#embed "../../Console/templates/parts/small-form.mustache"
};
static const unsigned char file_55[] = {
#embed "../../Console/templates/parts/snippets.mustache"
};
static const unsigned char file_56[] = {
#embed "../../Console/templates/parts/table.mustache"
};
static const unsigned char file_57[] = {
#embed "../../Console/templates/parts/template-chooser.mustache"
};
static const unsigned char file_58[] = {
#embed "../../Console/templates/projects.mustache"
};
static const unsigned char file_59[] = {
#embed "../../Console/templates/related.mustache"
};
static const unsigned char file_60[] = {
#embed "../../Console/templates/shell.mustache"
};
static const unsigned char file_61[] = {
#embed "../../Console/templates/stage-keys.mustache"
};
static const unsigned char file_62[] = {
#embed "../../Console/templates/stage-log.mustache"
};
static const unsigned char file_63[] = {
#embed "../../Console/templates/stage-statistics.mustache"
};
static const unsigned char file_64[] = {
#embed "../../Console/templates/storage-folder.mustache"
};
static const unsigned char file_65[] = {
#embed "../../Console/templates/storage-policy.mustache"
};
static const unsigned char file_66[] = {
#embed "../../Console/templates/storage.mustache"
};
static const unsigned char file_67[] = {
#embed "../../Console/templates/template-hyperparameters.mustache"
};
static const unsigned char file_68[] = {
#embed "../../Console/templates/training-files.mustache"
};
static const unsigned char file_69[] = {
#embed "../../Console/templates/training-hyperparameters.mustache"
};
static const unsigned char file_70[] = {
#embed "../../Console/templates/training-log.mustache"
};
static const unsigned char file_71[] = {
#embed "../../Console/templates/training-metrics.mustache"
};
static const unsigned char file_72[] = {
#embed "../../Console/templates/training-monitoring.mustache"
};
static const unsigned char file_73[] = {
#embed "../../Console/templates/tuning-hyperparameters.mustache"
};
static const unsigned char file_74[] = {
#embed "../../Console/templates/tuning-study.mustache"
};
static const unsigned char file_75[] = {
#embed "../../Console/templates/user.mustache"
};
static const unsigned char file_76[] = {
#embed "../../Console/templates/users.mustache"
};

static const struct takumi_console_file files[] = {
    {"chart.js", chart, sizeof(chart)},
    {"favicon.svg", file_0, sizeof(file_0)},
    {"icons.svg", file_1, sizeof(file_1)},
    {"scripts/chart-live.js", file_2, sizeof(file_2)},
    {"scripts/chart-options.js", file_3, sizeof(file_3)},
    {"scripts/charts.js", file_4, sizeof(file_4)},
    {"scripts/dialog.js", file_5, sizeof(file_5)},
    {"scripts/dom.js", file_6, sizeof(file_6)},
    {"scripts/forms.js", file_7, sizeof(file_7)},
    {"scripts/live.js", file_8, sizeof(file_8)},
    {"scripts/log-lines.js", file_9, sizeof(file_9)},
    {"scripts/log-scroll.js", file_10, sizeof(file_10)},
    {"scripts/log-search.js", file_11, sizeof(file_11)},
    {"scripts/log.js", file_12, sizeof(file_12)},
    {"scripts/main.js", file_13, sizeof(file_13)},
    {"scripts/morph.js", file_14, sizeof(file_14)},
    {"scripts/picker.js", file_15, sizeof(file_15)},
    {"scripts/spec-editor.js", file_16, sizeof(file_16)},
    {"scripts/storage.js", file_17, sizeof(file_17)},
    {"scripts/study-model.js", file_18, sizeof(file_18)},
    {"scripts/study-parallel.js", file_19, sizeof(file_19)},
    {"scripts/study-plots.js", file_20, sizeof(file_20)},
    {"scripts/study-ranges.js", file_21, sizeof(file_21)},
    {"scripts/study.js", file_22, sizeof(file_22)},
    {"scripts/tabs.js", file_23, sizeof(file_23)},
    {"scripts/time.js", file_24, sizeof(file_24)},
    {"scripts/toast.js", file_25, sizeof(file_25)},
    {"strings/en.yaml", file_26, sizeof(file_26)},
    {"strings/ja.yaml", file_27, sizeof(file_27)},
    {"study.css", file_28, sizeof(file_28)},
    {"style.css", file_29, sizeof(file_29)},
    {"templates/account.mustache", file_30, sizeof(file_30)},
    {"templates/compare.mustache", file_31, sizeof(file_31)},
    {"templates/confirm.mustache", file_32, sizeof(file_32)},
    {"templates/dashboard.mustache", file_33, sizeof(file_33)},
    {"templates/detail.mustache", file_34, sizeof(file_34)},
    {"templates/error.mustache", file_35, sizeof(file_35)},
    {"templates/event-list.mustache", file_36, sizeof(file_36)},
    {"templates/events.mustache", file_37, sizeof(file_37)},
    {"templates/form.mustache", file_38, sizeof(file_38)},
    {"templates/images.mustache", file_39, sizeof(file_39)},
    {"templates/list.mustache", file_40, sizeof(file_40)},
    {"templates/login-link.mustache", file_41, sizeof(file_41)},
    {"templates/login.mustache", file_42, sizeof(file_42)},
    {"templates/nas-folder.mustache", file_43, sizeof(file_43)},
    {"templates/nas.mustache", file_44, sizeof(file_44)},
    {"templates/parts/cards.mustache", file_45, sizeof(file_45)},
    {"templates/parts/cause.mustache", file_46, sizeof(file_46)},
    {"templates/parts/cell.mustache", file_47, sizeof(file_47)},
    {"templates/parts/field.mustache", file_48, sizeof(file_48)},
    {"templates/parts/form.mustache", file_49, sizeof(file_49)},
    {"templates/parts/head.mustache", file_50, sizeof(file_50)},
    {"templates/parts/listing.mustache", file_51, sizeof(file_51)},
    {"templates/parts/log.mustache", file_52, sizeof(file_52)},
    {"templates/parts/preferences.mustache", file_53, sizeof(file_53)},
    {"templates/parts/small-form.mustache", file_54, sizeof(file_54)},
    {"templates/parts/snippets.mustache", file_55, sizeof(file_55)},
    {"templates/parts/table.mustache", file_56, sizeof(file_56)},
    {"templates/parts/template-chooser.mustache", file_57, sizeof(file_57)},
    {"templates/projects.mustache", file_58, sizeof(file_58)},
    {"templates/related.mustache", file_59, sizeof(file_59)},
    {"templates/shell.mustache", file_60, sizeof(file_60)},
    {"templates/stage-keys.mustache", file_61, sizeof(file_61)},
    {"templates/stage-log.mustache", file_62, sizeof(file_62)},
    {"templates/stage-statistics.mustache", file_63, sizeof(file_63)},
    {"templates/storage-folder.mustache", file_64, sizeof(file_64)},
    {"templates/storage-policy.mustache", file_65, sizeof(file_65)},
    {"templates/storage.mustache", file_66, sizeof(file_66)},
    {"templates/template-hyperparameters.mustache", file_67, sizeof(file_67)},
    {"templates/training-files.mustache", file_68, sizeof(file_68)},
    {"templates/training-hyperparameters.mustache", file_69, sizeof(file_69)},
    {"templates/training-log.mustache", file_70, sizeof(file_70)},
    {"templates/training-metrics.mustache", file_71, sizeof(file_71)},
    {"templates/training-monitoring.mustache", file_72, sizeof(file_72)},
    {"templates/tuning-hyperparameters.mustache", file_73, sizeof(file_73)},
    {"templates/tuning-study.mustache", file_74, sizeof(file_74)},
    {"templates/user.mustache", file_75, sizeof(file_75)},
    {"templates/users.mustache", file_76, sizeof(file_76)},
};

const struct takumi_console_file *takumi_console_file(int index) {
    const int count = sizeof(files) / sizeof(files[0]);
    return index >= 0 && index < count ? &files[index] : 0;
}
