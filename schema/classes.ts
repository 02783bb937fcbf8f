/** Names of the classes of the shipped datasets, in label order, the side of their images in pixels, and how many they train on. Pure,
 *  so that pages can name what a picture shows. */

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
  /** Images of the training set. */
  train: number
}

/** By dataset id. */
export const pictured = {
  'fashion-mnist': { classes: clothes, size: 28, train: 60_000 },
  'fashion-mnist-5k': { classes: clothes, size: 28, train: 5_000 },
  'fashion-mnist-5k-16': { classes: clothes, size: 16, train: 5_000 },
  cifar10: {
    classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    size: 32,
    train: 50_000,
  },
} satisfies Record<string, Pictured>

/** What is known of a dataset's images; undefined for a user's own. */
export const picturedOf = ({ id }: { id: string }): Pictured | undefined => (pictured as Record<string, Pictured>)[id]
