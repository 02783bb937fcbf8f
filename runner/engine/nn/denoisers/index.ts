export { ddpmUnet as 'ddpm-unet' } from './ddpm-unet.ts'
