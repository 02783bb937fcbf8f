/** Names of the classes of the shipped datasets, in label order, and the side of their images in pixels. Pure, so that pages can
 *  name what a picture shows. */

/** As printed on the page of Fashion-MNIST. */
const clothes = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
]

export interface Pictured {
  classes: string[]
  size: number
}

/** By dataset id. */
export const pictured = {
  'fashion-mnist': { classes: clothes, size: 28 },
  'fashion-mnist-5k': { classes: clothes, size: 28 },
  'fashion-mnist-5k-16': { classes: clothes, size: 16 },
  cifar10: {
    classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    size: 32,
  },
} satisfies Record<string, Pictured>
