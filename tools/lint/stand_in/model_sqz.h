// As model_settings.h: declared, never defined.
#ifndef MODEL_SQZ_H_
#define MODEL_SQZ_H_

extern "C" {
extern const unsigned char g_model_sqz[1024];
extern const unsigned int g_model_sqz_len;
}

#endif  // MODEL_SQZ_H_
